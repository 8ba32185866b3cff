/**
 * Seeds that once broke a promise, with the cause. They are played by every `npm test`; when draws change
 * their meaning changes too, so what they showed has a test of its own beside the code it was in.
 */
export interface Regression {
  readonly seed: number;
  readonly cause: string;
}

export const REGRESSIONS: readonly Regression[] = [
  { seed: 19, cause: "a reader's cursor went past a settlement that was not committed yet" },
  { seed: 25, cause: "a task that was cancelled with its job kept no number for what had begun" },
  { seed: 119, cause: "a late failure of a lost attempt was neither recorded nor refused" },
  {
    seed: 211,
    cause: "a blame that was taken back ended the attempt under way at the next restart",
  },
];
