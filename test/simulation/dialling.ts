/**
 * How a process reaches the foreman: a dial takes its way through the network and may be refused, hang
 * or succeed, as the machine at the other end and the line are at that moment.
 */
import { silentLogger } from "../../src/runtime/platform/logger.ts";
import { CcError } from "../../src/runtime/protocol/error.ts";
import type { Encoding } from "../../src/runtime/protocol/frames.ts";
import type { Channel, Peer } from "../../src/runtime/transport/channel.ts";
import { createFrameSocket } from "../../src/runtime/transport/frame-socket.ts";
import { type OnChannel, openSocketChannel } from "../../src/runtime/transport/socket-channel.ts";
import type { Dice } from "./chance.ts";
import type { ForemanHost } from "./foreman-host.ts";
import type { Connection, Line } from "./network.ts";
import type { Process } from "./timeline.ts";

export interface Dialler {
  dial(onChannel: OnChannel, signal?: AbortSignal): Promise<Channel>;
  /** The newest connection, as long as it lives. */
  readonly connection: Connection | null;
  /** The process has died; its kernel says so to the other ends. */
  onDeath(): void;
}

export interface DialParts {
  readonly process: Process;
  readonly peer: Peer;
  readonly line: Line;
  readonly dice: Dice;
  readonly foreman: ForemanHost;
  readonly encoding?: Encoding;
}

/** A foreman that does not answer for so long is given up. */
const DIAL_TIMEOUT_MS = 5_000;

export function dialForeman(parts: DialParts): Dialler {
  const { process, line, foreman, dice, peer, encoding = "msgpack" } = parts;
  const open = new Set<Connection>();
  let connection: Connection | null = null;

  function dial(onChannel: OnChannel, signal?: AbortSignal): Promise<Channel> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const fail = (code: string): void => {
        if (isOver) return;
        isOver = true;
        reject(new CcError({ code, message: "The foreman is not reached.", retryable: true }));
      };
      process.after(DIAL_TIMEOUT_MS, () => fail("unreachable"));
      if (line.toForeman.isBlocked || line.fromForeman.isBlocked) return;
      const roundTripMs = line.toForeman.latencyMs + line.fromForeman.latencyMs;
      process.after(roundTripMs + 1, () => {
        const serving = foreman.process;
        if (serving === null || foreman.foreman === null) {
          fail("unreachable");
          return;
        }
        // A suspended foreman's kernel takes the connection; nobody welcomes us before it goes on.
        serving.after(0, () => {
          if (isOver || signal?.aborted || !process.isAlive) return;
          const accepted = foreman.accept(process, { peer, line, encoding, dice });
          if (accepted === null) return;
          isOver = true;
          connection = accepted.connection;
          for (const old of open) if (old.isOver) open.delete(old);
          open.add(connection);
          process.after(0, () => resolve(openOwnEnd(accepted, onChannel)));
        });
      });
    });
  }

  function openOwnEnd(
    accepted: NonNullable<ReturnType<ForemanHost["accept"]>>,
    onChannel: OnChannel,
  ): Channel {
    const frames = createFrameSocket({
      socket: accepted.connection.peer,
      encoding,
      clock: process.clock,
      logger: silentLogger,
    });
    const foremanPeer: Peer = { ...peer, role: "foreman", scopes: [], address: "foreman" };
    return openSocketChannel(frames, { peer: foremanPeer, welcome: accepted.welcome }, onChannel);
  }

  return {
    dial,
    get connection() {
      return connection?.isOver === false ? connection : null;
    },
    onDeath() {
      for (const one of open) one.abandon("peer");
      open.clear();
    },
  };
}
