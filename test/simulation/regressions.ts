/**
 * Seeds that once broke a promise, with the cause. They are played by every `npm test`; when draws change
 * their meaning changes too, so each cause is also a planted bug, and has a test beside its code.
 */
export interface Regression {
  readonly seed: number;
  readonly cause: string;
}

export const REGRESSIONS: readonly Regression[] = [
  { seed: 5, cause: "a task that was cancelled with its job kept no number for what had begun" },
  { seed: 74, cause: "a late failure of a lost attempt was neither recorded nor refused" },
  { seed: 75, cause: "a reader's cursor went past a settlement that was not committed yet" },
  { seed: 106, cause: "a suspended foreman took results that lay in its socket for time-outs" },
  { seed: 249, cause: "a blame that was taken back ended the attempt under way at a restart" },
  { seed: 31_038, cause: "a back-off that was cancelled ended the next one of its task early" },
  { seed: 68_322_688, cause: "a job that ended while it was looked at had the counters of before" },
  {
    seed: 76_148_176,
    cause: "a back-off of a task that ran again seemed to last after the clock went back",
  },
];
