/**
 * A TCP proxy of our own between workers or clients and the foreman. It cuts, refuses, stalls and drops,
 * each direction by itself, and it knows where WebSocket frames begin, so that it can repeat, swap and
 * replay whole ones. The channel is plain text on loopback and only its handshake is authenticated, so a
 * frame that is sent twice is as good as its first copy: what the network below a session could do at
 * worst. Frames are never changed, and the handshake's are always passed on as they are.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { createFrameSplitter, type FrameSplitter } from "./frame-splitter.ts";

/** As the peer sees it: up is to the foreman, down is from it. */
export type Direction = "up" | "down";

/** What becomes of a frame of messages: none, itself, or several. */
export type FrameRule = (frame: Uint8Array, direction: Direction) => readonly Uint8Array[];

export interface FrameProxy {
  /** To be given to `--foreman`. */
  readonly url: string;
  /** How many connections have passed their handshake's upgrade so far. */
  readonly sessionCount: number;
  /** Breaks every connection by a reset, so that both ends see it. */
  cut(): void;
  /** New connections are closed at once, until told otherwise. */
  refuse(isRefusing: boolean): void;
  /** Bytes of this direction wait, as on a line that has gone dead, and go on later in order. */
  stall(direction: Direction): void;
  flow(direction: Direction): void;
  /**
   * What goes this way on the connections there are now waits, also when their sender has given them up;
   * later connections are not touched. `deliver()` lets it arrive, and then the end.
   */
  strand(direction: Direction): void;
  deliver(): void;
  /** Bytes of this direction vanish; a connection cannot recover from it. */
  drop(direction: Direction, isDropping: boolean): void;
  /** From the next frame on; null: frames pass as they are. */
  setRule(rule: FrameRule | null): void;
  /** The frames that went this way on the newest connection whose handshake was over, handshake excluded. */
  recorded(direction: Direction): readonly Uint8Array[];
  /** Sends frames on the newest connection, as if the peer had. */
  inject(direction: Direction, frames: readonly Uint8Array[]): void;
  close(): Promise<void>;
}

interface Line {
  readonly peer: Socket;
  readonly foreman: Socket;
  readonly up: Lane;
  readonly down: Lane;
  /** The direction whose bytes are held until `deliver()`. */
  stranded: Direction | null;
}

interface Lane {
  readonly to: Socket;
  readonly splitter: FrameSplitter;
  readonly recorded: Uint8Array[];
  /** Bytes that a stall holds back. */
  held: Uint8Array[];
}

/** `hello` and `authenticate` go up, `challenge` and `welcome` come down. */
const HANDSHAKE_FRAMES = 2;
/** A recording is for replays, not for storage. */
const RECORDED_FRAMES_MAX = 10_000;

export async function openProxy(foremanUrl: string): Promise<FrameProxy> {
  const { hostname, port } = new URL(foremanUrl);
  const lines = new Set<Line>();
  const stalled = new Set<Direction>();
  const dropping = new Set<Direction>();
  let newest: Line | null = null;
  let rule: FrameRule | null = null;
  let isRefusing = false;
  let sessionCount = 0;

  const server = createServer((peer) => {
    if (isRefusing) {
      peer.resetAndDestroy();
      return;
    }
    open(peer);
  });

  function open(peer: Socket): void {
    const foreman = connect({ host: hostname, port: Number(port) });
    const line: Line = {
      peer,
      foreman,
      up: createLane(foreman),
      down: createLane(peer),
      stranded: null,
    };
    lines.add(line);
    newest = line;
    sessionCount++;
    const end = (): void => {
      // The receiver must not hear of the end before it has heard what comes late.
      if (line.stranded !== null) return;
      lines.delete(line);
      peer.destroy();
      foreman.destroy();
    };
    for (const socket of [peer, foreman]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    peer.on("data", (bytes: Buffer) => pass(line, "up", bytes));
    foreman.on("data", (bytes: Buffer) => pass(line, "down", bytes));
  }

  function pass(line: Line, direction: Direction, bytes: Uint8Array): void {
    if (dropping.has(direction)) return;
    const lane = line[direction];
    for (const piece of lane.splitter.push(bytes)) {
      for (const frame of treat(lane, direction, piece)) write(line, direction, frame);
    }
  }

  function treat(
    lane: Lane,
    direction: Direction,
    { bytes, number }: { readonly bytes: Uint8Array; readonly number: number | null },
  ): readonly Uint8Array[] {
    if (number === null || number < HANDSHAKE_FRAMES) return [bytes];
    if (lane.recorded.length < RECORDED_FRAMES_MAX) lane.recorded.push(bytes);
    return rule === null ? [bytes] : rule(bytes, direction);
  }

  function write(line: Line, direction: Direction, bytes: Uint8Array): void {
    const lane = line[direction];
    if (stalled.has(direction) || line.stranded === direction) lane.held.push(bytes);
    else if (!lane.to.destroyed) lane.to.write(bytes);
  }

  await listen(server);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    url: `ws://127.0.0.1:${address.port}`,
    get sessionCount() {
      return sessionCount;
    },
    cut() {
      for (const { peer, foreman } of [...lines]) {
        peer.resetAndDestroy();
        foreman.resetAndDestroy();
      }
    },
    refuse: (refusing) => {
      isRefusing = refusing;
    },
    stall: (direction) => void stalled.add(direction),
    flow(direction) {
      stalled.delete(direction);
      for (const line of lines) {
        const lane = line[direction];
        for (const bytes of lane.held.splice(0)) lane.to.write(bytes);
      }
    },
    strand(direction) {
      for (const line of lines) line.stranded = direction;
    },
    deliver() {
      for (const line of [...lines].filter(({ stranded }) => stranded !== null)) {
        const lane = line[line.stranded ?? "up"];
        line.stranded = null;
        lane.to.end(Buffer.concat(lane.held.splice(0)));
      }
    },
    drop(direction, isDropping) {
      if (isDropping) dropping.add(direction);
      else dropping.delete(direction);
    },
    setRule: (next) => {
      rule = next;
    },
    recorded: (direction) => [...(newest?.[direction].recorded ?? [])],
    inject(direction, frames) {
      if (newest === null) throw new Error("nothing is connected through the proxy");
      for (const frame of frames) write(newest, direction, frame);
    },
    async close() {
      for (const { peer, foreman } of lines) {
        peer.destroy();
        foreman.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createLane(to: Socket): Lane {
  return { to, splitter: createFrameSplitter(), recorded: [], held: [] };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}
