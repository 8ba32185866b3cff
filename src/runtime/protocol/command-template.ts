/**
 * A command with placeholders, compiled once a job and filled in once a task. Values become arguments
 * and are never parsed by a shell; with `--shell` see shell-template.ts. Pure: nothing here starts
 * anything, and limits of the operating system are the worker's matter.
 */
import type { InputShape, WorkSpec } from "./job-spec.ts";
import {
  createResolver,
  inputText,
  parseTemplate,
  type Resolver,
  type TemplateInput,
  type TemplatePart,
  WHOLE_INPUT,
} from "./placeholder.ts";
import { compileShell } from "./shell-template.ts";

export type CommandWork = Extract<WorkSpec, { kind: "command" }>;

export interface ExpandedCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** What the command reads; null: nothing. */
  readonly stdin: string | Uint8Array | null;
}

export type CommandTemplate = (input: TemplateInput) => ExpandedCommand;
export type TextTemplate = (input: TemplateInput) => string;

/**
 * Compiles a job's command. Without a placeholder that applies to the input, the input is appended,
 * unless it goes to stdin.
 * @throws CcError when a placeholder stands where a shell could not be given a value safely.
 */
export function compileTemplate(work: CommandWork, shape: InputShape): CommandTemplate {
  const fillArgv = work.shell
    ? compileShell(work.argv.join(" "), work.placeholder, !work.stdin)
    : compileWords(work.argv, work.placeholder, !work.stdin);
  const fillCwd = compileText(work.cwd, work.placeholder, shape);
  return (input) => {
    const argv = fillArgv(createResolver(shape, input));
    const stdin = work.stdin && !shape.none ? stdinOf(shape, input.value) : null;
    return { argv, cwd: fromFolder(work.folder, fillCwd(input)), stdin };
  };
}

/** A placeholder may hold an absolute path or a relative one: only the filled text tells. */
function fromFolder(folder: string | undefined, cwd: string): string {
  return folder === undefined || cwd.startsWith("/") ? cwd : `${folder}/${cwd}`;
}

/** Fills one command in; for more than one task compile the template once. */
export function expandCommand(
  work: CommandWork,
  shape: InputShape,
  input: TemplateInput,
): ExpandedCommand {
  return compileTemplate(work, shape)(input);
}

/** Compiles a text with placeholders that is not a command: `--env`, `--cwd`, `--output`. */
export function compileText(text: string, rename: string | null, shape: InputShape): TextTemplate {
  const parts = parseTemplate(text, rename);
  if (parts.every((part) => part.kind === "text")) return () => text;
  return (input) => fillText(parts, createResolver(shape, input));
}

export function expandText(
  text: string,
  rename: string | null,
  shape: InputShape,
  input: TemplateInput,
): string {
  return compileText(text, rename, shape)(input);
}

/** Whether a text has a placeholder that could take a value: `{}` and its like, `{#}`, `{%}`, `{name}`. */
export function hasPlaceholder(text: string, rename: string | null): boolean {
  return parseTemplate(text, rename).some((part) => part.kind === "placeholder");
}

function compileWords(
  words: readonly string[],
  rename: string | null,
  appendsInput: boolean,
): (resolver: Resolver) => readonly string[] {
  const templates = words.map((word) => parseTemplate(word, rename));
  return (resolver) => {
    const argv: string[] = [];
    let isUsed = false;
    templates.forEach((parts, i) => {
      isUsed = fillWord(words[i] as string, parts, resolver, argv) || isUsed;
    });
    const appended = isUsed || !appendsInput ? null : resolver.resolve(WHOLE_INPUT);
    return appended === null ? argv : [...argv, ...appended];
  };
}

/** Appends one word; a placeholder that is a whole word becomes one argument a value. */
function fillWord(
  word: string,
  parts: readonly TemplatePart[],
  resolver: Resolver,
  argv: string[],
): boolean {
  const only = parts.length === 1 ? parts[0] : undefined;
  if (parts.length === 0 || only?.kind === "text") {
    argv.push(word);
    return false;
  }
  if (only?.kind === "placeholder") {
    const values = resolver.resolve(only.placeholder);
    if (values === null) argv.push(word);
    else argv.push(...values);
    return values !== null;
  }
  const text = fillParts(parts, resolver);
  argv.push(text.filled);
  return text.isUsed;
}

function fillText(parts: readonly TemplatePart[], resolver: Resolver): string {
  return fillParts(parts, resolver).filled;
}

/** Inside a word or a text, several values are joined by a space. */
function fillParts(
  parts: readonly TemplatePart[],
  resolver: Resolver,
): { readonly filled: string; readonly isUsed: boolean } {
  let filled = "";
  let isUsed = false;
  for (const part of parts) {
    const values = part.kind === "text" ? null : resolver.resolve(part.placeholder);
    if (values !== null) isUsed = true;
    filled += values?.join(" ") ?? (part.kind === "text" ? part.text : part.source);
  }
  return { filled, isUsed };
}

/** Bytes as they are; texts as lines, so that `cat` gives back the lines of a file. */
function stdinOf(shape: InputShape, value: unknown): string | Uint8Array {
  if (value instanceof Uint8Array) return value;
  const values = shape.chunk > 0 && Array.isArray(value) ? value : [value];
  let text = "";
  for (const each of values) {
    const line = inputText(each);
    text += line.endsWith("\n") ? line : `${line}\n`;
  }
  return text;
}
