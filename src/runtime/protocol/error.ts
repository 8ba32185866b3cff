/**
 * The one error type of the world's troubles: network, disk, user, peer. A programmer's error is an
 * `assert` instead and stops the process. Every CcError can be shown to a person as it is.
 */

/** Where a command that meets this error should end; see the exit codes of the contract. */
export type ExitCode = 0 | 1 | 2 | 3 | 64 | 69 | 70 | 74 | 75 | 77 | 78 | 124 | 130;

export interface CcErrorFields {
  /** Stable, snake_case; scripts may compare it. */
  readonly code: string;
  /** One sentence that names the value and what was expected. */
  readonly message: string;
  /** What to do next; one sentence or one line to type. */
  readonly hint?: string | undefined;
  /** Whether the same request may succeed later without a change. */
  readonly retryable?: boolean | undefined;
  readonly exitCode?: ExitCode | undefined;
  readonly cause?: unknown;
}

/** The public JSON of an error, as `--json` prints it on stderr and `error` messages carry it. */
export interface ErrorView {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly retryable: boolean;
}

export class CcError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  /** The exit code a command ends with when nobody handles this error; 70 is a fault of our own. */
  readonly exitCode: ExitCode;

  constructor(fields: CcErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = "CcError";
    this.code = fields.code;
    this.hint = fields.hint;
    this.retryable = fields.retryable ?? false;
    this.exitCode = fields.exitCode ?? 70;
  }

  toView(): ErrorView {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      retryable: this.retryable,
    };
  }
}

/** A wrong command line, job file or input: exit 2, nothing was submitted. */
export function usageError(code: string, message: string, hint?: string): CcError {
  return new CcError({ code, message, hint, exitCode: 2 });
}

/** Turns whatever was thrown into a CcError; an unknown fault keeps its stack as the cause. */
export function toCcError(thrown: unknown): CcError {
  if (thrown instanceof CcError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CcError({
    code: "internal",
    message: `Unexpected fault: ${message}`,
    hint: "This is a fault of CrowdCompute itself; please report it with the stack below.",
    cause: thrown,
    exitCode: 70,
  });
}

/** Stops the process on a broken invariant of our own code; never used on what a peer sent. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Ends an exhaustive switch. */
export function assertNever(value: never, what: string): never {
  throw new Error(`invariant broken: unexpected ${what}: ${JSON.stringify(value)}`);
}
