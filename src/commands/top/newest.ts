/**
 * A place for one value between somebody who says it as it changes and somebody who takes it when it can:
 * what was not taken in time is replaced, so that a slow reader gets the newest and nothing piles up.
 */
export interface Newest<Value> {
  put(value: Value): void;
  /** Whoever takes hears this from now on, also instead of a value that still lay there. */
  fail(error: unknown): void;
  /** Waits for a value that was not taken before. */
  take(): Promise<Value>;
}

export function createNewest<Value>(): Newest<Value> {
  let held: { readonly value: Value } | null = null;
  let failure: { readonly error: unknown } | null = null;
  let changed = Promise.withResolvers<void>();

  function wake(): void {
    changed.resolve();
    changed = Promise.withResolvers();
  }

  return {
    put(value) {
      held = { value };
      wake();
    },
    fail(error) {
      failure ??= { error };
      wake();
    },
    async take() {
      for (;;) {
        if (failure !== null) throw failure.error;
        if (held !== null) {
          const { value } = held;
          held = null;
          return value;
        }
        await changed.promise;
      }
    },
  };
}
