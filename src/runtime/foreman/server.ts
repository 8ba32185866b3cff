/**
 * A foreman with sockets: opens the store, enters the local keys, listens, and notes its URL in the
 * store's folder so that clients without an address find it.
 */
import { statfsSync } from "node:fs";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Paths } from "../platform/paths.ts";
import { chance } from "../platform/random.ts";
import { CcError } from "../protocol/error.ts";
import type { RetentionRules } from "../scheduler/foreman/jobs/retention-state.ts";
import { forgetUrl, noteUrl, storePaths } from "../store/folder.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { ensureLocalKeys } from "../transport/key-files.ts";
import { type ForemanListener, listen } from "../transport/server.ts";
import { type Audience, createForeman, type ForemanParts } from "./foreman.ts";
import { openLogsParts } from "./logs/open-logs-parts.ts";
import type { OutputsOptions } from "./storage/outputs.ts";
import { enterLocalKeys, loadKeyDirectory } from "./storage/stored-keys.ts";
import type { ForemanStatus } from "./views/foreman-status.ts";

export interface ForemanServerOptions {
  readonly host: string;
  readonly port: number;
  /** Take any free port when the wanted one is taken (a tied foreman beside another program). */
  readonly fallbackToFreePort: boolean;
  /** null: the user's default store. */
  readonly storeFolder: string | null;
  readonly paths: Paths;
  readonly owner: string;
  readonly timing: {
    readonly heartbeatMs: number;
    readonly leaseMs: number;
    readonly reconnectGraceMs: number;
  };
  readonly onlyFollowed: boolean;
  readonly retention: RetentionRules;
  /** What stdouts beyond the size of a result may take together; null: a tenth of the disk. */
  readonly outputBytesMax: number | null;
  /** What logs may take together; null: 10 GiB, or a tenth of a smaller disk. */
  readonly logBytesMax: number | null;
  readonly clock: Clock;
  readonly logger: Logger;
  onFatal(error: CcError): void;
  onShutdownRequested(): void;
  onAudience(audience: Audience): void;
}

export interface ForemanServer {
  readonly url: string;
  readonly storeFolder: string;
  readonly workerKeyFile: string;
  /** What it does just now; costs next to nothing. */
  status(): ForemanStatus;
  close(): Promise<void>;
}

/** @throws CcError `already_running` (75), `address_in_use` (69), `storage_…` (74, 78). */
export async function startForemanServer(options: ForemanServerOptions): Promise<ForemanServer> {
  const { paths, clock, logger } = options;
  const storeFolder = options.storeFolder ?? paths.defaultStore;
  const keys = ensureLocalKeys(paths.configFolder);
  const store = await openSqliteStore({
    folder: storeFolder,
    readOnly: false,
    clock,
    logger,
    // Whatever met it, a look, an upload or a commit: it ends the foreman.
    onBroken: options.onFatal,
  });
  try {
    await enterLocalKeys(store, keys, { owner: options.owner, nowMs: clock.nowMs });
    const facts = { url: "", storeFolder, startedAtMs: clock.nowMs() };
    const outputs = outputsOptions(storeFolder, options.outputBytesMax);
    const logs = await openLogsParts(storeFolder, { bytesMax: options.logBytesMax, logger });
    const foreman = await createForeman({ ...foremanParts(options), store, facts, outputs, logs });
    const listener = await listenSomewhere(options, async (port) =>
      listen({
        host: options.host,
        port,
        keys: await loadKeyDirectory(store),
        foremanId: store.identity.foremanId,
        epoch: store.identity.epoch,
        timing: options.timing,
        logger,
        clock,
        onChannel: foreman.open,
      }),
    );
    facts.url = listener.url;
    noteUrl(storeFolder, listener.url);
    return {
      url: listener.url,
      storeFolder,
      workerKeyFile: paths.localWorkerKey,
      status: foreman.status,
      async close() {
        listener.stopAccepting();
        forgetUrl(storeFolder);
        await foreman.close();
        await listener.close();
        await store.close();
      },
    };
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

/** So small a disk may hold no more than a part of one output, and says so then. */
const OUTPUT_BYTES_MIN = 1024 ** 3;
const OUTPUT_DISK_SHARE = 10;

function outputsOptions(storeFolder: string, bytesMax: number | null): OutputsOptions {
  const { folder, artifacts } = storePaths(storeFolder);
  if (bytesMax !== null) return { folder: artifacts, bytesMax };
  const { blocks, bsize } = statfsSync(folder);
  const share = Math.floor((blocks * bsize) / OUTPUT_DISK_SHARE);
  return { folder: artifacts, bytesMax: Math.max(OUTPUT_BYTES_MIN, share) };
}

function foremanParts(
  options: ForemanServerOptions,
): Omit<ForemanParts, "store" | "facts" | "outputs" | "logs"> {
  return {
    clock: options.clock,
    logger: options.logger,
    options: {
      ...options.timing,
      seed: Math.floor(chance() * 2 ** 32),
      onlyFollowed: options.onlyFollowed,
      retention: options.retention,
    },
    onFatal: options.onFatal,
    onShutdownRequested: options.onShutdownRequested,
    onAudience: options.onAudience,
  };
}

async function listenSomewhere(
  options: ForemanServerOptions,
  open: (port: number) => Promise<ForemanListener>,
): Promise<ForemanListener> {
  try {
    return await open(options.port);
  } catch (thrown) {
    const isTaken = thrown instanceof CcError && thrown.code === "address_in_use";
    if (!isTaken || !options.fallbackToFreePort) throw thrown;
    return open(0);
  }
}
