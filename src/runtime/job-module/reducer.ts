/** Folds results into one value with a job file's `reduce`, in the order they are given. */
import { usageError } from "../protocol/error.ts";
import { describeThrown } from "./describe-thrown.ts";
import type { JobModule, ReduceFunction } from "./job-module.ts";

export interface Reducer {
  /**
   * Takes the next result; to be called in input order, one at a time. A promise only when `reduce`
   * gave one: await it before the next call.
   * @throws CcError `reduce_failed` when `reduce` throws; the reducer must not be used after that.
   */
  add(value: unknown, index: number): Promise<void> | undefined;
  /** The reduced value so far: `initial` when nothing was added. */
  total(): unknown;
}

/** null when the job file has no `reduce`. Without `initial` the first result is the first total. */
export function createReducer(module: JobModule): Reducer | null {
  const { reduce } = module;
  if (!reduce) return null;
  let total = module.initial;
  let hasTotal = module.hasInitial;
  return {
    add(value, index) {
      if (!hasTotal) {
        hasTotal = true;
        total = value;
        return undefined;
      }
      const next = callReduce(module, reduce, { total, value, index });
      if (!(next instanceof Promise)) {
        total = next;
        return undefined;
      }
      return next.then(
        (settled: unknown) => {
          total = settled;
        },
        (thrown: unknown) => {
          throw reduceFailed(module, thrown, index);
        },
      );
    },
    total: () => total,
  };
}

interface ReduceStep {
  readonly total: unknown;
  readonly value: unknown;
  readonly index: number;
}

function callReduce(module: JobModule, reduce: ReduceFunction, step: ReduceStep): unknown {
  try {
    return reduce(step.total, step.value, step.index);
  } catch (thrown) {
    throw reduceFailed(module, thrown, step.index);
  }
}

function reduceFailed(module: JobModule, thrown: unknown, index: number): Error {
  const { message, place } = describeThrown(thrown, {
    bundlePath: module.path,
    classifyError: undefined,
  });
  const prefix = place ?? module.places["reduce"];
  const error = usageError(
    "reduce_failed",
    `${prefix === undefined ? "" : `${prefix}: `}reduce threw at the result of task ${index}: ${message}`,
    "The results are kept: correct reduce, then print them with cc results JOB --reduce.",
  );
  error.cause = thrown;
  return error;
}
