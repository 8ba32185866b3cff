/**
 * Two raw sockets joined in memory: frames arrive later and in order, wait while the reader pauses, and
 * a close comes behind everything that was sent before it.
 */
import { EventEmitter } from "node:events";
import type { RawSocket } from "./frame-socket.ts";

type Parcel =
  | {
      readonly kind: "frame";
      readonly bytes: Uint8Array;
      readonly isBinary: boolean;
      readonly onTaken: () => void;
    }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

interface Inbox {
  put(parcel: Parcel): void;
  readonly waitingBytes: number;
}

interface Half extends RawSocket {
  readonly inbox: Inbox;
  /** Ends this half; only the first time counts. */
  end(code: number, reason: string): void;
  other: Half | null;
}

/** Code of an end without a close frame. */
const ABNORMAL = 1006;

export function createMemorySockets(): [RawSocket, RawSocket] {
  const first = createHalf();
  const second = createHalf();
  first.other = second;
  second.other = first;
  return [first, second];
}

function createHalf(): Half {
  const events = new EventEmitter();
  let isPaused = false;
  let isEnded = false;

  const open = (parcel: Parcel): void => {
    if (parcel.kind === "close") {
      half.end(parcel.code, parcel.reason);
      half.other?.end(parcel.code, parcel.reason);
      return;
    }
    events.emit("message", parcel.bytes, parcel.isBinary);
    parcel.onTaken();
  };

  const inbox = createInbox(open, () => !isPaused && !isEnded);
  const half: Half = {
    inbox,
    other: null,
    get bufferedAmount() {
      return half.other?.inbox.waitingBytes ?? 0;
    },
    send: (frame, onTaken) => {
      const isBinary = typeof frame !== "string";
      const bytes = isBinary ? frame : Buffer.from(frame);
      half.other?.inbox.put({ kind: "frame", bytes, isBinary, onTaken });
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      inbox.wake();
    },
    close: (code, reason) => half.other?.inbox.put({ kind: "close", code, reason }),
    terminate: () => {
      half.end(ABNORMAL, "");
      half.other?.end(ABNORMAL, "");
    },
    end: (code, reason) => {
      if (isEnded) return;
      isEnded = true;
      queueMicrotask(() => events.emit("close", code, Buffer.from(reason)));
    },
    on: (event: string, listener: (...facts: never[]) => void) =>
      events.on(event, listener as (...facts: unknown[]) => void),
  };
  return half;
}

/** Opens parcels one microtask later, never inside the sender's call. */
function createInbox(open: (parcel: Parcel) => void, mayOpen: () => boolean) {
  /** A shift for each parcel would move all that follow; the opened ones go together instead. */
  let parcels: Parcel[] = [];
  let openedCount = 0;
  let waitingBytes = 0;
  let isScheduled = false;

  const drain = (): void => {
    isScheduled = false;
    while (mayOpen()) {
      const parcel = parcels[openedCount];
      if (!parcel) break;
      openedCount++;
      if (parcel.kind === "frame") waitingBytes -= parcel.bytes.byteLength;
      open(parcel);
    }
    parcels = parcels.slice(openedCount);
    openedCount = 0;
  };
  const wake = (): void => {
    if (isScheduled || openedCount === parcels.length) return;
    isScheduled = true;
    queueMicrotask(drain);
  };
  return {
    put(parcel: Parcel): void {
      parcels.push(parcel);
      if (parcel.kind === "frame") waitingBytes += parcel.bytes.byteLength;
      wake();
    },
    wake,
    get waitingBytes() {
      return waitingBytes;
    },
  };
}
