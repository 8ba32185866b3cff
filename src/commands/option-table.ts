/**
 * The one declarative description of a verb: what it takes, means and prints in its help. Parsing, help,
 * completion, `docs/commands.md` and the configuration file are all derived from these tables. It holds
 * types and naming only; it must never load the parser or a command.
 */

/** Where an option's value may come from besides the command line; see the precedence in `docs/commands.md`. */
export type OptionScope =
  /** How to reach the foreman: flag, environment, `connection` of the config file. */
  | "connection"
  /** How a daemon runs: flag, environment, its own section of the config file. */
  | "daemon"
  /** A job's own option: flag, job file, `job` of the config file, `./crowdcompute.json`. Never the environment. */
  | "job"
  /** Of this one command line only. */
  | "command";

interface OptionCommon {
  /** One letter, without the dash. */
  readonly short?: string;
  /** What it does, as the help prints it; starts lower-case and ends without a full stop. */
  readonly description: string;
  /** What the help shows as the default. A value that the handler receives is in `default`. */
  readonly defaultText?: string;
  /** `command` when left out. */
  readonly scope?: OptionScope;
  /** Accepted and parsed, but shown neither in help nor in completion. */
  readonly hidden?: boolean;
  /** What the shell completes after it. */
  readonly completes?: "file" | "folder" | "job" | "worker";
}

/** What a value of each option type becomes in `context.values`. */
export type OptionSpec = OptionCommon &
  (
    | { readonly type: "boolean"; readonly negatable?: boolean }
    | {
        readonly type: "string";
        readonly value: string;
        readonly default?: string;
        /** In characters; what the foreman would refuse is refused here by its flag's name. */
        readonly lengthMin?: number;
        readonly lengthMax?: number;
      }
    /** An amount of time, as milliseconds: `250ms 30s 5m 2h 1d`. */
    | ({ readonly type: "duration"; readonly value?: string } & NumberBounds)
    /** An amount of memory or storage, as bytes: `512M 4G`, 1024-based. */
    | ({ readonly type: "size"; readonly value?: string } & NumberBounds)
    | ({ readonly type: "integer"; readonly value?: string } & NumberBounds)
    | ({ readonly type: "number"; readonly value?: string } & NumberBounds)
    | {
        readonly type: "choice";
        readonly choices: readonly string[];
        readonly default?: string;
        readonly value?: string;
      }
    /** May be given several times; `separator` also splits one value. */
    | {
        readonly type: "list";
        readonly value: string;
        readonly separator?: ",";
        readonly default?: readonly string[];
      }
    /** Repeated `K=V`, as one record. */
    | { readonly type: "pairs"; readonly value?: string }
    /** Repeated `K=V` or `NAME` (null: its value now), as one record. */
    | { readonly type: "environment"; readonly value?: string }
    /** Repeated `NAME=AMOUNT`, as one record of numbers of at least 0. */
    | { readonly type: "amounts"; readonly value?: string }
    /** `--name=N` only: `--name` alone is `true`. */
    | ({ readonly type: "optional-integer"; readonly value?: string } & Omit<
        NumberBounds,
        "default"
      >)
    /** Anything else: `parse` returns the value or throws a CcError that names `flag` and the text. */
    | {
        readonly type: "custom";
        readonly value: string;
        readonly parse: (text: string, flag: string) => unknown;
      }
  );

interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
  /** Words accepted instead of a number and passed on as they are: `none`, `auto`, `unlimited`. */
  readonly words?: readonly string[];
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export interface PositionalSpec {
  /** As the help prints it: `JOB`, `JOB[/INDEX]`, `DIR`. */
  readonly name: string;
  readonly required: boolean;
  /** The last one may repeat. */
  readonly many?: boolean;
  readonly completes?: "file" | "folder" | "job" | "worker" | readonly string[];
}

export interface ExampleSpec {
  readonly line: string;
  readonly does: string;
}

export type VerbGroup = "Run" | "Look" | "Steer" | "Set up" | "About";

export interface VerbTable<
  Options extends OptionTable = OptionTable,
  Positionals extends readonly PositionalSpec[] = readonly PositionalSpec[],
> {
  readonly verb: string;
  readonly synonyms?: readonly string[];
  readonly group: VerbGroup;
  /** One line in the list of verbs. */
  readonly summary: string;
  /** Each is printed after `cc `. */
  readonly usage: readonly string[];
  readonly positionals: Positionals;
  /** Keys are camelCase, as in a job file's `options`; the flag is the same in kebab-case. */
  readonly options: Options;
  /** Headings in the help's option list; keys not named here stand under `Options`. */
  readonly sections?: Readonly<Record<string, readonly (keyof Options & string)[]>>;
  /** Whether words after `--` are taken (`context.rest`). */
  readonly acceptsRest?: boolean;
  /** Whether `:::` lists after the command are taken (`context.products`). */
  readonly acceptsProducts?: boolean;
  readonly examples: readonly ExampleSpec[];
  /** Paragraphs at the end of the help. */
  readonly notes?: readonly string[];
  /** The section of the config file that a daemon's options come from. */
  readonly configSection?: "foreman" | "worker";
  /** Exit code of a wrong command line: 64 for daemons, 2 for all others. */
  readonly usageExitCode?: 2 | 64;
}

/** Keeps the literal types of a table, so that `ValuesOf` knows every option. */
export function defineVerb<
  const Options extends OptionTable,
  const Positionals extends readonly PositionalSpec[],
>(table: VerbTable<Options, Positionals>): VerbTable<Options, Positionals> {
  return table;
}

/** Keeps the literal types of options that several verbs share. */
export function defineOptions<const Options extends OptionTable>(options: Options): Options {
  return options;
}

/** The options of a verb as its handler gets them; `undefined` means not given anywhere and without default. */
export type ValuesOf<Verb> =
  Verb extends VerbTable<infer Options, infer _>
    ? { readonly [Key in keyof Options]: ValueOf<Options[Key]> }
    : never;

type ValueOf<Spec> = Spec extends { readonly type: "boolean"; readonly negatable: true }
  ? boolean | undefined
  : Spec extends { readonly type: "boolean" }
    ? boolean
    : Spec extends { readonly default: unknown }
      ? GivenValueOf<Spec>
      : GivenValueOf<Spec> | undefined;

type GivenValueOf<Spec> = Spec extends {
  readonly type: "choice";
  readonly choices: readonly (infer Choice)[];
}
  ? Choice
  : Spec extends { readonly type: "list" }
    ? readonly string[]
    : Spec extends { readonly type: "string" }
      ? string
      : Spec extends { readonly type: "optional-integer" }
        ? number | true
        : Spec extends {
              readonly type: "custom";
              readonly parse: (text: string, flag: string) => infer Value;
            }
          ? Value
          : Spec extends { readonly type: "duration" | "size" | "integer" | "number" }
            ? number | WordsOf<Spec>
            : never;

type WordsOf<Spec> = Spec extends { readonly words: readonly (infer Word)[] } ? Word : never;

/** `maxRunning` -> `max-running`. */
export function flagNameOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `max-running` -> `maxRunning`. */
export function keyOfFlagName(flagName: string): string {
  return flagName.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `maxMemory` -> `CC_MAX_MEMORY`. */
export function environmentNameOf(key: string): string {
  return `CC_${flagNameOf(key).replaceAll("-", "_").toUpperCase()}`;
}
