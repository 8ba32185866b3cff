/**
 * A store without a foreman, to be looked at: the same machine, views and readers over a read-only
 * store, reached through a channel in memory. It schedules nothing, listens nowhere, writes nothing.
 */
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { PROGRAM_VERSION } from "../platform/version.ts";
import { CcError, toCcError } from "../protocol/error.ts";
import { hasStore, storePaths } from "../store/folder.ts";
import { createMemoryStore } from "../store/memory.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Channel, ChannelHandler } from "../transport/channel.ts";
import { createChannelPair } from "../transport/memory.ts";
import { RIGHTS } from "./clients/access.ts";
import { createForeman } from "./foreman.ts";
import { openLogsPartsForReading } from "./logs/open-logs-parts.ts";

export interface OfflineForeman {
  /** A channel like one that was dialled; only looking is allowed on it. */
  connect(onClientSide: (channel: Channel) => ChannelHandler): Channel;
  close(): Promise<void>;
}

/** @throws CcError `storage_…`; a store that does not exist yet reads as an empty one. */
export async function openOfflineForeman(parts: {
  readonly storeFolder: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<OfflineForeman> {
  const { storeFolder, owner, clock, logger } = parts;
  const store = hasStore(storeFolder) ? await openReader(storeFolder, clock) : createMemoryStore();
  const foreman = await createForeman({
    store: withoutWrites(store),
    clock,
    logger,
    // Nobody follows, so nothing may start: jobs show as they were left.
    options: {
      heartbeatMs: 3_000,
      leaseMs: 15_000,
      reconnectGraceMs: 5_000,
      seed: 0,
      onlyFollowed: true,
    },
    logs: await openLogsPartsForReading(storeFolder),
    outputs: { folder: storePaths(storeFolder).artifacts, bytesMax: 0, readOnly: true },
    facts: { url: "", storeFolder, startedAtMs: clock.nowMs() },
    onFatal(error) {
      throw error;
    },
    onShutdownRequested: () => {},
  });
  return {
    connect: (onClientSide) =>
      createChannelPair({
        client: {
          role: "client",
          keyId: "offline",
          owner,
          // Whoever may submit may read code back; `refusingChanges` holds back the rest of it.
          scopes: ["view", "submit"],
          address: "memory",
          programVersion: PROGRAM_VERSION,
        },
        welcome: {
          foremanId: store.identity.foremanId,
          epoch: store.identity.epoch,
          owner,
          programVersion: PROGRAM_VERSION,
          heartbeatMs: 3_000,
          leaseMs: 15_000,
        },
        onForemanSide: (channel) => refusingChanges(channel, foreman.open(channel)),
        onClientSide,
      }).client,
    async close() {
      await foreman.close();
      await store.close();
    },
  };
}

/** Whoever looks is a client: of a daemon's exit codes only the sentence is left. */
async function openReader(folder: string, clock: Clock): Promise<Store> {
  try {
    return await openSqliteStore({ folder, readOnly: true, clock });
  } catch (cause) {
    throw new CcError({ ...toCcError(cause).toView(), exitCode: 3, cause });
  }
}

/** A change would be decided, answered and then lost, since nothing is written. */
function refusingChanges(channel: Channel, handler: ChannelHandler): ChannelHandler {
  return {
    ...handler,
    onMessage(message, frameBytes) {
      if (RIGHTS[message.type] === "view" || message.type === "blob_need") {
        handler.onMessage(message, frameBytes);
        return;
      }
      const error = new CcError({
        code: "read_only",
        message: `This store is only being read: ${message.type} needs a running foreman.`,
        hint: "cc foreman",
        exitCode: 3,
      });
      const request = "request" in message ? message.request : undefined;
      channel.send({
        type: "error",
        ...(request === undefined ? {} : { request }),
        ...error.toView(),
      });
    },
  };
}

/** Time passing may make the machine want changes (a deadline met); a reader keeps them to itself. */
function withoutWrites(store: Store): Store {
  const harmless: Pick<Store, "commit" | "reclaim"> = {
    commit: async () => "ok",
    reclaim: async () => "done",
  };
  return new Proxy(store, {
    get: (target, key) => Reflect.get(key in harmless ? harmless : target, key, target),
  });
}
