/** A promise that the world saw broken. It ends the seed and names what to read the story about. */
export class Violation extends Error {
  /** Matches the lines of the story that matter most. */
  readonly subject: RegExp | null;

  constructor(message: string, subject: RegExp | null = null) {
    super(message);
    this.name = "Violation";
    this.subject = subject;
  }
}

/** @throws Violation about the task unless the condition holds. */
export function demand(condition: boolean, message: string, task?: string): void {
  if (condition) return;
  throw new Violation(
    task === undefined ? message : `task ${task}: ${message}`,
    task === undefined ? null : new RegExp(`\\b${task}\\b`),
  );
}

/** Judges within calls of the code under test, which must not get to catch what they find. */
export interface Watch {
  /** Keeps the first thing that `judge` throws. */
  judge(judge: () => void): void;
  /** @throws what was kept. */
  check(): void;
}

export function createWatch(): Watch {
  let found: unknown = null;
  return {
    judge(judge) {
      try {
        judge();
      } catch (thrown) {
        found ??= thrown;
      }
    },
    check() {
      if (found !== null) throw found;
    },
  };
}
