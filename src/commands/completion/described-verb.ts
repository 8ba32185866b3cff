/** What a completion script needs to know of a verb, the same for every shell. */
import { flagNameOf, type OptionSpec, type VerbTable } from "../option-table.ts";

export type Completes = "file" | "folder" | "nothing" | readonly string[];

export interface DescribedOption {
  /** With dashes: `--max-running`; a negatable boolean stands twice. */
  readonly long: string;
  readonly short: string | null;
  readonly description: string;
  /** Null: takes no value. */
  readonly value: Completes | null;
  /** `--local[=N]`: a value only behind an equals sign. */
  readonly valueIsOptional: boolean;
  readonly repeatable: boolean;
}

export interface DescribedVerb {
  readonly words: readonly string[];
  readonly summary: string;
  readonly options: readonly DescribedOption[];
  readonly positionals: Completes;
  /** Whether a command line may follow `--`. */
  readonly takesCommand: boolean;
}

export function describeVerbs(tables: readonly VerbTable[]): readonly DescribedVerb[] {
  return tables.map((table) => ({
    words: [table.verb, ...(table.synonyms ?? [])],
    summary: table.summary,
    options: [...Object.entries(table.options).flatMap(describeOption), HELP_OPTION],
    positionals: positionalsOf(table),
    takesCommand: table.acceptsRest ?? false,
  }));
}

const HELP_OPTION: DescribedOption = {
  long: "--help",
  short: "-h",
  description: "show options and examples",
  value: null,
  valueIsOptional: false,
  repeatable: false,
};

function describeOption([key, spec]: readonly [string, OptionSpec]): readonly DescribedOption[] {
  if (spec.hidden) return [];
  const option: DescribedOption = {
    long: `--${flagNameOf(key)}`,
    short: spec.short === undefined ? null : `-${spec.short}`,
    description: spec.description,
    value: valueCompletion(spec),
    valueIsOptional: spec.type === "optional-integer",
    repeatable: ["list", "pairs", "environment", "amounts"].includes(spec.type),
  };
  if (spec.type !== "boolean" || !spec.negatable) return [option];
  return [
    option,
    {
      ...option,
      long: `--no-${flagNameOf(key)}`,
      short: null,
      description: `not: ${spec.description}`,
    },
  ];
}

function valueCompletion(spec: OptionSpec): Completes | null {
  if (spec.type === "boolean") return null;
  if (spec.type === "choice") return spec.choices;
  return fileOrNothing(spec.completes);
}

function positionalsOf(table: VerbTable): Completes {
  const completes = table.positionals[0]?.completes;
  return typeof completes === "object" ? completes : fileOrNothing(completes);
}

/** Jobs and workers would need a foreman; a static script leaves them to the person. */
function fileOrNothing(completes: string | undefined): "file" | "folder" | "nothing" {
  return completes === "file" || completes === "folder" ? completes : "nothing";
}
