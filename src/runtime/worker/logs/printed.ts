/** What an attempt has printed, on its way through the worker. */

/** Consecutive pieces of one attempt's log. */
export interface Printed {
  /** Right before them. */
  readonly droppedBytes: number;
  /** Of each piece: its row in LOG_STREAMS, when it was printed by our monotonic clock, its bytes. */
  readonly streams: ArrayLike<number>;
  readonly atMs: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
  /** Not kept by whoever takes it. */
  readonly data: Uint8Array;
}
