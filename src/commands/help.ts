/**
 * Renders help from the option tables: aligned, wrapped, and without the parser. It decides on wording
 * and layout only; what exists is said by the tables.
 */
import { assertNever } from "../runtime/protocol/error.ts";
import {
  environmentNameOf,
  flagNameOf,
  type OptionSpec,
  type VerbGroup,
  type VerbTable,
} from "./option-table.ts";

const GROUPS: readonly VerbGroup[] = ["Run", "Look", "Steer", "Set up", "About"];
const WIDTH_MIN = 60;
const WIDTH_MAX = 100;
const FLAG_COLUMN_MAX = 34;

/** `cc --help`: the verbs in groups. */
export function renderOverview(tables: readonly VerbTable[], columnCount: number): string {
  const width = helpWidth(columnCount);
  const verbWidth = Math.max(...tables.map(({ verb }) => verb.length));
  const groups = GROUPS.flatMap((group) => {
    const members = tables.filter((table) => table.group === group);
    if (members.length === 0) return [];
    const lines = members.map(({ verb, summary }) => `  ${verb.padEnd(verbWidth)}  ${summary}`);
    return [[`${group}:`, ...lines].join("\n")];
  });
  return `${[
    "CrowdCompute: your functions and commands over thousands of inputs, on all your computers.",
    "Usage: cc VERB [options]",
    ...groups,
    wrap(
      "cc VERB --help shows a verb's options and examples. What is meant for the C compiler, such as cc -o x x.c, is passed on to it; the name crowdcompute never does that.",
      width,
    ),
  ].join("\n\n")}\n`;
}

/** `cc VERB --help`. */
export function renderVerbHelp(table: VerbTable, columnCount: number): string {
  const width = helpWidth(columnCount);
  const synonyms = table.synonyms?.length ? ` (also: cc ${table.synonyms.join(", cc ")})` : "";
  const blocks = [
    `cc ${table.verb}: ${table.summary}${synonyms}`,
    ["Usage:", ...table.usage.map((line) => `  cc ${line}`)].join("\n"),
    ...optionBlocks(table, width),
    [
      "Examples:",
      ...table.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
    ].join("\n"),
    ...[...(table.notes ?? []), ...environmentNote(table)].map((note) => wrap(note, width)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function helpWidth(columnCount: number): number {
  return Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, columnCount));
}

type NamedOption = readonly [key: string, spec: OptionSpec];

function optionBlocks(table: VerbTable, width: number): readonly string[] {
  const sections = optionSections(table);
  const labels = sections.flatMap(({ options }) => options.map(optionLabel));
  const labelWidth = Math.min(FLAG_COLUMN_MAX, Math.max(0, ...labels.map((label) => label.length)));
  return sections.map(({ title, options }) =>
    [`${title}:`, ...options.map((option) => renderOption(option, labelWidth, width))].join("\n"),
  );
}

export interface OptionSection {
  readonly title: string;
  readonly options: readonly NamedOption[];
}

/** A verb's options under the headings of its table; those that no heading names come last. */
export function optionSections(table: VerbTable): readonly OptionSection[] {
  const shown = Object.entries(table.options).filter(([, spec]) => !spec.hidden);
  const titled = Object.entries(table.sections ?? {}).map(([title, keys]) => ({
    title,
    options: keys.flatMap((key) => shown.filter(([candidate]) => candidate === key)),
  }));
  const named = new Set(titled.flatMap(({ options }) => options.map(([key]) => key)));
  const remaining = { title: "Options", options: shown.filter(([key]) => !named.has(key)) };
  return [...titled, remaining].filter(({ options }) => options.length > 0);
}

function renderOption(option: NamedOption, labelWidth: number, width: number): string {
  const label = `  ${optionLabel(option).padEnd(labelWidth)}`;
  const indent = labelWidth + 4;
  const text = wrap(describeOption(option[1]), width - indent).replaceAll(
    "\n",
    `\n${" ".repeat(indent)}`,
  );
  if (label.length > labelWidth + 2) return `${label}\n${" ".repeat(indent)}${text}`;
  return `${label}  ${text}`;
}

/** `-j, --max-running N`. */
export function optionLabel([key, spec]: NamedOption): string {
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  const name =
    spec.type === "boolean" && spec.negatable
      ? `--[no-]${flagNameOf(key)}`
      : `--${flagNameOf(key)}`;
  return `${short}${name}${valueLabel(spec)}`;
}

function valueLabel(spec: OptionSpec): string {
  switch (spec.type) {
    case "boolean":
      return "";
    case "optional-integer":
      return `[=${spec.value ?? "N"}]`;
    case "choice":
      return ` ${spec.value ?? spec.choices.join("|")}`;
    case "duration":
      return ` ${spec.value ?? "DUR"}`;
    case "size":
      return ` ${spec.value ?? "SIZE"}`;
    case "integer":
    case "number":
      return ` ${spec.value ?? "N"}`;
    case "pairs":
    case "environment":
      return ` ${spec.value ?? "K=V"}`;
    case "amounts":
      return ` ${spec.value ?? "NAME=AMOUNT"}`;
    case "string":
    case "list":
    case "custom":
      return ` ${spec.value}`;
    default:
      return assertNever(spec, "option type");
  }
}

/** The description with the default and whether it repeats. */
export function describeOption(spec: OptionSpec): string {
  const extras = [];
  if (isRepeatable(spec)) extras.push("repeatable");
  const defaultText = spec.defaultText ?? ownDefaultText(spec);
  if (defaultText !== undefined) extras.push(`default: ${defaultText}`);
  return extras.length === 0 ? spec.description : `${spec.description} (${extras.join("; ")})`;
}

function isRepeatable(spec: OptionSpec): boolean {
  return (
    spec.type === "pairs" ||
    spec.type === "environment" ||
    spec.type === "amounts" ||
    (spec.type === "list" && spec.separator === undefined)
  );
}

function ownDefaultText(spec: OptionSpec): string | undefined {
  if (!("default" in spec) || spec.default === undefined) return undefined;
  if (spec.type === "duration") return `${spec.default / 1000}s`;
  return String(spec.default);
}

function environmentNote(table: VerbTable): readonly string[] {
  const keys = Object.keys(table.options).filter((key) => {
    const scope = table.options[key]?.scope;
    return scope === "connection" || scope === "daemon";
  });
  if (keys.length === 0) return [];
  const daemon = table.configSection !== undefined;
  const example = daemon ? (keys.find((key) => key === "maxMemory") ?? keys[0] ?? "") : "foreman";
  const which = daemon ? "Each option" : "--foreman and --key-file";
  return [
    `${which} may also stand in the environment (${environmentNameOf(example)} is --${flagNameOf(example)}) or in the configuration file.`,
  ];
}

/** Breaks at blanks; a word longer than the width stands alone. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
