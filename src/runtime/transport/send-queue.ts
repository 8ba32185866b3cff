/**
 * The bytes that wait in a socket for a slow peer. The queue is bounded by whoever looks at it before
 * sending; the last resort is `isOverfull`, after which the peer is cut off.
 */
import { FRAME_BYTES_MAX, SEND_QUEUE_BYTES_MAX } from "../protocol/limits.ts";

export interface SendQueue {
  /** To be called whenever bytes may have left, and when the socket has closed. */
  onRoom(): void;
  drained(): Promise<void>;
  isOverfull(): boolean;
}

const DRAINED_BYTES = SEND_QUEUE_BYTES_MAX / 2;
/** The queue may exceed its limit by the one frame that filled it. */
const OVERFULL_BYTES = SEND_QUEUE_BYTES_MAX + FRAME_BYTES_MAX;

export function createSendQueue(state: {
  readonly waitingBytes: () => number;
  readonly isOpen: () => boolean;
}): SendQueue {
  let waiters: (() => void)[] = [];
  const onRoom = (): void => {
    if (waiters.length === 0) return;
    if (state.isOpen() && state.waitingBytes() >= DRAINED_BYTES) return;
    const released = waiters;
    waiters = [];
    for (const release of released) release();
  };
  return {
    onRoom,
    drained: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        onRoom();
      }),
    isOverfull: () => state.waitingBytes() > OVERFULL_BYTES,
  };
}
