/**
 * What the runner hands to a command: parsed values and the outside world. A command reads nothing from
 * `process` itself, so tests can run it with streams and an environment of their own.
 */
import type { LoadedConfig } from "../runtime/platform/config.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { ValuesOf, VerbTable } from "./option-table.ts";

/** A stream that ends quietly when its reader goes away. */
export interface OutputStream {
  readonly isTerminal: boolean;
  /** Width in columns; 80 where it is not known. */
  readonly columnCount: number;
  /**
   * Writes in order and resolves once the stream can take more: awaiting it is the back-pressure.
   * Rejects with `OutputClosed` when the reader has gone; a command lets that error pass.
   */
  write(chunk: string | Uint8Array): Promise<void>;
  /** From now on all that is written goes there: text, whole lines. Only the process's own streams have it. */
  divert?(write: (text: string) => Promise<void>): void;
  /** Aborted when the reader has gone, so that a command can stop work that nobody reads. */
  readonly closed: AbortSignal;
}

export interface CommandIo {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: {
    readonly isTerminal: boolean;
    /** The bytes of standard input; may be asked for once. */
    stream(): ReadableStream<Uint8Array>;
  };
}

/** Where a value came from, most binding first; `detail` names the flag, variable, or file and key. */
export interface ValueOrigin {
  readonly kind: "flag" | "environment" | "config" | "default";
  readonly detail: string;
}

export interface CommandContext<Verb extends VerbTable = VerbTable> {
  /** As typed: `jobs` or its synonym `job`. */
  readonly verb: string;
  readonly values: ValuesOf<Verb>;
  /** Where each option's value came from; keys as in `values`. */
  readonly origins: Readonly<Record<keyof ValuesOf<Verb> & string, ValueOrigin>>;
  /** The configuration files as loaded; null for verbs that have no use for them. */
  readonly config: LoadedConfig | null;
  readonly positionals: PositionalsOf<Verb>;
  /** The words after `--`, untouched; null when there was no `--`. */
  readonly rest: readonly string[] | null;
  /** The words of each `:::` list; empty without one. */
  readonly products: readonly (readonly string[])[];
  /** The words after the program's name, as typed: for a job's recorded command line. */
  readonly words: readonly string[];
  readonly io: CommandIo;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether stdout and stderr may carry colour: a terminal, and neither NO_COLOR nor --no-color. */
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
}

type PositionalsOf<Verb> = Verb extends {
  readonly positionals: readonly [{ readonly required: true }, ...(readonly unknown[])];
}
  ? readonly [string, ...string[]]
  : readonly string[];

export type CommandHandler<Verb extends VerbTable = VerbTable> = (
  context: CommandContext<Verb>,
) => Promise<ExitCode>;

/** The reader of stdout or stderr has gone; the runner ends the command quietly with exit 0. */
export class OutputClosed extends Error {
  constructor() {
    super("the reader of the output has gone");
    this.name = "OutputClosed";
  }
}
