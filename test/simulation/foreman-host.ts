/**
 * The foreman's machine in the world: starts the real foreman on the store, kills it, lets it be
 * suspended, and lets peers in. Everything the foreman says passes the tap before it leaves.
 */
import { createForeman, type Foreman } from "../../src/runtime/foreman/foreman.ts";
import type { Encoding } from "../../src/runtime/protocol/frames.ts";
import type { Message } from "../../src/runtime/protocol/messages.ts";
import { checkInvariants } from "../../src/runtime/scheduler/foreman/invariants.ts";
import type { ForemanState } from "../../src/runtime/scheduler/foreman/machine.ts";
import type {
  Channel,
  ChannelHandler,
  Peer,
  WelcomeFacts,
} from "../../src/runtime/transport/channel.ts";
import { createFrameSocket } from "../../src/runtime/transport/frame-socket.ts";
import { openSocketChannel } from "../../src/runtime/transport/socket-channel.ts";
import type { Dice } from "./chance.ts";
import { type Connection, connectProcesses, type Line } from "./network.ts";
import type { WorldOptions } from "./options.ts";
import type { StoreHost } from "./store-host.ts";
import { type Story, storyLogger } from "./story.ts";
import type { Process, Timeline, WallClock } from "./timeline.ts";
import { Violation } from "./violation.ts";

/** Hears what passes the foreman's door, in the order in which the foreman says and hears it. */
export interface Tap {
  heard(channel: Channel, message: Message): void;
  said(channel: Channel, message: Message): void;
}

export interface ForemanHost {
  /** Null while it is down. */
  readonly process: Process | null;
  /** Null until it listens. */
  readonly foreman: Foreman | null;
  start(): void;
  kill(why: string): void;
  /** Opens a connection; null when nobody listens. */
  accept(
    from: Process,
    facts: {
      readonly peer: Peer;
      readonly line: Line;
      readonly encoding: Encoding;
      readonly dice: Dice;
    },
  ): { readonly connection: Connection; readonly welcome: WelcomeFacts } | null;
  /** @throws when an invariant of the machine is broken. */
  check(): void;
  readonly startCount: number;
  /** Since when it has served without a pause. */
  readonly awakeSinceMs: number;
  suspend(): void;
  resume(): void;
  /** How far its machine's clock had been set when it started: its time line hangs on that. */
  readonly timeLineOffsetMs: number;
  readonly connections: ReadonlySet<Connection>;
}

export interface ForemanHostParts {
  readonly timeline: Timeline;
  readonly options: WorldOptions;
  readonly wall: WallClock;
  readonly store: StoreHost;
  readonly story: Story;
  readonly tap: Tap;
  /** It died by itself, so somebody must start it again. */
  onDeath(): void;
}

export function createForemanHost(parts: ForemanHostParts): ForemanHost {
  const { timeline, options, story } = parts;
  const connections = new Set<Connection>();
  let process: Process | null = null;
  let foreman: Foreman | null = null;
  let identity = { foremanId: "", epoch: 0 };
  let startCount = 0;
  let timeLineOffsetMs = 0;
  let awakeSinceMs = 0;
  /** The machine has perhaps changed since it was last looked at. */
  let hasStepped = false;
  let state: ForemanState | null = null;

  function start(): void {
    if (process !== null) return;
    const started = timeline.createProcess("foreman", parts.wall);
    process = started;
    startCount++;
    timeLineOffsetMs = parts.wall.offsetMs;
    story.tell(() => `foreman: starts for the ${startCount}. time`);
    const die = (why: string): void => {
      if (process !== started) return;
      kill(why);
      parts.onDeath();
    };
    const store = parts.store.open(started, {
      crash: () => die("crashed at a commit"),
      onCommit() {
        hasStepped = true;
      },
    });
    identity = store.identity;
    const { heartbeatMs, leaseMs, graceMs, seed } = options;
    createForeman({
      store,
      clock: {
        ...started.clock,
        defer: (onTurn) =>
          started.clock.defer(() => {
            hasStepped = true;
            onTurn();
          }),
      },
      logger: storyLogger(story, "foreman"),
      options: { heartbeatMs, leaseMs, reconnectGraceMs: graceMs, seed, onlyFollowed: false },
      facts: { url: "ws://simulated", storeFolder: "memory", startedAtMs: started.clock.nowMs() },
      onFatal(error) {
        if (error.code !== "storage_failed") {
          fault = new Violation(
            `the foreman meets a fault of its own: ${error.message}\n${(error.cause as Error | undefined)?.stack ?? ""}`,
          );
        }
        die(`ends: ${error.code}`);
      },
      onShutdownRequested() {},
    }).then(
      (made) => {
        if (process !== started) return;
        foreman = made;
        state = made.state;
        awakeSinceMs = timeline.nowMs;
        story.tell(() => "foreman: listens");
      },
      (thrown: unknown) => {
        fault = new Violation(`the foreman does not start: ${String(thrown)}`);
      },
    );
  }
  let fault: Error | null = null;

  function kill(why: string): void {
    if (process === null) return;
    story.tell(() => `foreman: ${why}`);
    process.kill();
    process = null;
    foreman = null;
    state = null;
    for (const connection of connections) connection.abandon("foreman");
    connections.clear();
  }

  const host: ForemanHost = {
    get process() {
      return process;
    },
    get foreman() {
      return foreman;
    },
    get startCount() {
      return startCount;
    },
    get awakeSinceMs() {
      return awakeSinceMs;
    },
    suspend() {
      if (process === null || process.isSuspended) return;
      story.tell(() => "foreman: suspended");
      process.suspend();
    },
    resume() {
      if (!process?.isSuspended) return;
      story.tell(() => "foreman: goes on");
      awakeSinceMs = timeline.nowMs;
      process.resume();
    },
    get timeLineOffsetMs() {
      return timeLineOffsetMs;
    },
    connections,
    start,
    kill,
    accept(from, { peer, line, encoding, dice }) {
      if (process === null || foreman === null) return null;
      const serving = foreman;
      const connection = connectProcesses({ timeline, dice, line, peer: from, foreman: process });
      for (const old of connections) if (old.isOver) connections.delete(old);
      connections.add(connection);
      const frames = createFrameSocket({
        socket: connection.foreman,
        encoding,
        clock: process.clock,
        logger: storyLogger(story, "foreman"),
      });
      openSocketChannel(frames, { peer, welcome: null }, (channel) =>
        tapped(channel, (own) => serving.open(own), parts.tap),
      );
      const { heartbeatMs, leaseMs } = options;
      return {
        connection,
        welcome: { ...identity, owner: peer.owner, programVersion: "0.0.0", heartbeatMs, leaseMs },
      };
    },
    check() {
      if (fault !== null) throw fault;
      if (state !== null && hasStepped) checkInvariants(state);
      hasStepped = false;
    },
  };
  return host;
}

/** The channel as the foreman sees it, with somebody listening in. */
function tapped(
  channel: Channel,
  open: (channel: Channel) => ChannelHandler,
  tap: Tap,
): ChannelHandler {
  const own: Channel = {
    ...channel,
    get isOpen() {
      return channel.isOpen;
    },
    send(message) {
      tap.said(own, message);
      channel.send(message);
    },
  };
  const handler = open(own);
  return {
    onMessage(message, frameBytes) {
      tap.heard(own, message);
      handler.onMessage(message, frameBytes);
    },
    onClose: (end) => handler.onClose(end),
  };
}
