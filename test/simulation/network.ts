/**
 * Connections as TCP makes them: in order and without loss while they live, at the mercy of the line
 * between two machines otherwise. A line may stand still each way by itself; a connection may be reset
 * for both ends or for one, and what the other had sent may still arrive long after. Frames are the
 * bytes that the real codec made.
 */
import { EventEmitter } from "node:events";
import type { Timer } from "../../src/runtime/platform/clock.ts";
import type { RawSocket } from "../../src/runtime/transport/frame-socket.ts";
import type { Dice } from "./chance.ts";
import type { Process, Timeline } from "./timeline.ts";

/** One way between a machine and the foreman's. */
export interface Way {
  isBlocked: boolean;
  blockedAtMs: number;
  /** When what had waited arrived at last. */
  healedAtMs: number;
  latencyMs: number;
  jitterMs: number;
  /** Looks again at what waits, after a change. */
  readonly waiting: Set<Direction>;
}

/** The line of one machine. */
export interface Line {
  readonly toForeman: Way;
  readonly fromForeman: Way;
}

export interface SimulatedSocket extends RawSocket {
  readonly isEnded: boolean;
}

export interface Connection {
  readonly peer: SimulatedSocket;
  readonly foreman: SimulatedSocket;
  readonly isOver: boolean;
  /** Both ends hear of it; what was under way is lost. */
  reset(): void;
  /** Only this end hears of it now; the other after `laterMs`, behind what was under way to it. */
  resetOneEnd(end: "peer" | "foreman", laterMs: number): void;
  /** The process of one end has died: the other end hears it behind what was sent. */
  abandon(end: "peer" | "foreman"): void;
}

type Letter =
  | {
      readonly kind: "frame";
      readonly bytes: Uint8Array;
      readonly isBinary: boolean;
      readonly onTaken: () => void;
    }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

interface Parcel {
  readonly letter: Letter;
  readonly readyAtMs: number;
}

const ABNORMAL = 1006;

export function createLine(dice: Dice): Line {
  return { toForeman: createWay(dice), fromForeman: createWay(dice) };
}

function createWay(dice: Dice): Way {
  const latencyMs = dice.pick([0, 0, 1, 5, 40]);
  const jitterMs = dice.pick([0, 1, 10, 60]);
  return {
    isBlocked: false,
    blockedAtMs: 0,
    healedAtMs: 0,
    latencyMs,
    jitterMs,
    waiting: new Set(),
  };
}

export function block(way: Way, nowMs: number): void {
  if (!way.isBlocked) way.blockedAtMs = nowMs;
  way.isBlocked = true;
}

/** What waited arrives now, as retransmissions do. */
export function heal(way: Way, nowMs: number): void {
  if (way.isBlocked) way.healedAtMs = nowMs;
  way.isBlocked = false;
  for (const direction of [...way.waiting]) direction.kick();
}

/** Frames on their way to one end. */
interface Direction {
  readonly waitingBytes: number;
  put(parcel: Letter): void;
  /** What is under way and all that follows comes so much later. */
  slow(byMs: number): void;
  /** Drops what is under way from a place drawn at random on. */
  loseSome(): void;
  kick(): void;
}

interface DirectionParts {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly way: Way;
  readonly receiver: Process;
  take(letter: Letter): void;
  mayTake(): boolean;
}

function createDirection({
  timeline,
  dice,
  way,
  receiver,
  take,
  mayTake,
}: DirectionParts): Direction {
  let parcels: Parcel[] = [];
  let timer: Timer | null = null;
  let lastReadyAtMs = 0;
  let waitingBytes = 0;
  let extraMs = 0;

  const deliver = (): void => {
    timer = null;
    if (way.isBlocked) way.waiting.add(direction);
    if (way.isBlocked || !mayTake()) return;
    const parcel = parcels.shift();
    if (parcel === undefined) return;
    if (parcel.letter.kind === "frame") waitingBytes -= parcel.letter.bytes.byteLength;
    take(parcel.letter);
    direction.kick();
  };
  const direction: Direction = {
    get waitingBytes() {
      return waitingBytes;
    },
    put(letter) {
      const { latencyMs, jitterMs } = way;
      const jitter = jitterMs === 0 ? 0 : Math.floor(dice.draw() * jitterMs);
      lastReadyAtMs = Math.max(lastReadyAtMs, timeline.nowMs + latencyMs + jitter + extraMs);
      parcels.push({ letter, readyAtMs: lastReadyAtMs });
      if (letter.kind === "frame") waitingBytes += letter.bytes.byteLength;
      direction.kick();
    },
    slow(byMs) {
      extraMs += byMs;
      lastReadyAtMs += byMs;
      parcels = parcels.map(({ letter, readyAtMs }) => ({ letter, readyAtMs: readyAtMs + byMs }));
      timer?.cancel();
      timer = null;
      direction.kick();
    },
    loseSome() {
      parcels.length = Math.floor(dice.draw() * (parcels.length + 1));
    },
    kick() {
      const head = parcels[0];
      if (timer !== null || head === undefined) return;
      if (way.isBlocked) {
        way.waiting.add(direction);
        return;
      }
      way.waiting.delete(direction);
      // Belongs to the receiver: while that one is suspended, frames wait in its kernel.
      timer = receiver.after(head.readyAtMs - timeline.nowMs, deliver);
    },
  };
  return direction;
}

interface End extends SimulatedSocket {
  isEnded: boolean;
  finish(code: number, reason: string): void;
}

export interface ConnectionParts {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly line: Line;
  readonly peer: Process;
  readonly foreman: Process;
}

/** Open from the first moment; both ends learn later what becomes of it. */
export function connectProcesses(parts: ConnectionParts): Connection {
  const { timeline, dice, line } = parts;
  const peer = createEnd(parts.peer, () => toForeman);
  const foreman = createEnd(parts.foreman, () => toPeer);
  const toForeman = createDirection({
    timeline,
    dice,
    way: line.toForeman,
    receiver: parts.foreman,
    take: (letter) => foreman.take(letter, peer.end),
    mayTake: foreman.mayTake,
  });
  const toPeer = createDirection({
    timeline,
    dice,
    way: line.fromForeman,
    receiver: parts.peer,
    take: (letter) => peer.take(letter, foreman.end),
    mayTake: peer.mayTake,
  });
  peer.onResume = () => toPeer.kick();
  foreman.onResume = () => toForeman.kick();
  const close = { kind: "close", code: ABNORMAL, reason: "" } as const;
  return {
    peer: peer.end,
    foreman: foreman.end,
    get isOver() {
      return peer.end.isEnded && foreman.end.isEnded;
    },
    reset() {
      toForeman.loseSome();
      toPeer.loseSome();
      toForeman.put(close);
      toPeer.put(close);
    },
    resetOneEnd(end, laterMs) {
      const [here, there] = end === "peer" ? [toPeer, toForeman] : [toForeman, toPeer];
      here.loseSome();
      here.put(close);
      there.slow(laterMs);
      there.put(close);
    },
    abandon(end) {
      (end === "peer" ? toForeman : toPeer).put(close);
    },
  };
}

interface HeldEnd {
  readonly end: End;
  mayTake(): boolean;
  take(letter: Letter, other: End): void;
  onResume(): void;
}

function createEnd(owner: Process, outbound: () => Direction): HeldEnd {
  const events = new EventEmitter();
  let isPaused = false;
  const end: End = {
    isEnded: false,
    get bufferedAmount() {
      return outbound().waitingBytes;
    },
    send(frame, onTaken) {
      if (end.isEnded || !owner.isAlive) return;
      const isBinary = typeof frame !== "string";
      const bytes = isBinary ? frame : Buffer.from(frame);
      outbound().put({ kind: "frame", bytes, isBinary, onTaken });
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      held.onResume();
    },
    close(code, reason) {
      if (!end.isEnded && owner.isAlive) outbound().put({ kind: "close", code, reason });
    },
    terminate() {
      if (!owner.isAlive) return;
      outbound().put({ kind: "close", code: ABNORMAL, reason: "" });
      end.finish(ABNORMAL, "");
    },
    finish(code, reason) {
      if (end.isEnded) return;
      end.isEnded = true;
      owner.after(0, () => events.emit("close", code, Buffer.from(reason)));
    },
    on: (event: string, listener: (...facts: never[]) => void) =>
      events.on(event, listener as (...facts: unknown[]) => void),
  };
  const held: HeldEnd = {
    end,
    mayTake: () => !isPaused,
    onResume() {},
    take(letter, other) {
      if (end.isEnded) return;
      if (letter.kind === "frame") {
        events.emit("message", letter.bytes, letter.isBinary);
        letter.onTaken();
        return;
      }
      // An orderly close is answered; an abnormal one is only found out.
      if (letter.code !== ABNORMAL && !other.isEnded) outbound().put(letter);
      end.finish(letter.code, letter.reason);
    },
  };
  return held;
}
