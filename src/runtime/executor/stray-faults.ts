/**
 * Who is to blame for what nobody caught. What a callback throws is known to be its task's, also long
 * after that task has ended; it never fails another. The runtime does not tell whose promise was
 * rejected: the waiting task is only suspected, and fails when it does not settle by itself in a while,
 * for then it most likely waits for what will not come.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { TaskContext } from "../job-module/task-context.ts";

/** What the top level and `setup` start belongs to no task. */
export type Owner = TaskContext | "module";

/** What runs now, while it waits. */
export interface Waiting {
  readonly owner: Owner;
  /** Fails it; null before it waits. */
  fail: ((thrown: unknown) => void) | null;
}

export interface StrayFaults {
  onThrown(thrown: unknown): void;
  onRejected(reason: unknown, promise: unknown): void;
  /** A promise that was rejected without a listener has one now. */
  onHandled(promise: unknown): void;
}

export interface StrayFaultsParts {
  current(): Waiting | null;
  /** For what no task is to blame for any more. */
  notice(thrown: unknown, taskId: string | null): void;
}

/** Long enough for a task that handles its promises one after the other. */
const SUSPICION_MS = 2_000;

const author = new AsyncLocalStorage<Owner>();
// Tasks replace global functions, for example by those of a fake clock.
const { setTimeout } = globalThis;

/** Calls a function of the author's so that what it starts is known to be `owner`'s. */
export function runAs<Parameters extends readonly unknown[], Value>(
  owner: Owner,
  run: (...parameters: Parameters) => Value,
  ...parameters: Parameters
): Value {
  return author.run(owner, run, ...parameters);
}

/** Whose code runs at this moment; undefined: nobody's that is known. */
export const currentOwner = (): Owner | undefined => author.getStore();

export function createStrayFaults({ current, notice }: StrayFaultsParts): StrayFaults {
  const handled = new WeakSet<object>();

  function suspect(thrown: unknown, promise: unknown): void {
    const waiting = current();
    if (waiting?.fail == null) {
      notice(thrown, null);
      return;
    }
    const judge = (): void => {
      if (typeof promise === "object" && promise !== null && handled.has(promise)) return;
      if (current() === waiting && waiting.fail !== null) waiting.fail(thrown);
      else notice(thrown, null);
    };
    setTimeout(judge, SUSPICION_MS);
  }

  return {
    onThrown(thrown) {
      const owner = author.getStore();
      const waiting = current();
      if (waiting !== null && waiting.owner === owner && waiting.fail !== null)
        waiting.fail(thrown);
      // A connection that `setup` has opened may be what the task waits for.
      else if (owner === undefined || owner === "module") suspect(thrown, null);
      else notice(thrown, owner.task.id);
    },
    onRejected: suspect,
    onHandled(promise) {
      if (typeof promise === "object" && promise !== null) handled.add(promise);
    },
  };
}
