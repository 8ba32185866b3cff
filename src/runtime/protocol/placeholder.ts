/**
 * The placeholders of a command template, found in a text and resolved against one task's input.
 * Path forms follow GNU parallel. Pure; nothing here knows about words, shells or processes.
 */
import { ValueColumnBuilder } from "./columns.ts";
import { CcError } from "./error.ts";
import type { InputShape } from "./job-spec.ts";
import { encodeValue, valueAsJson } from "./value.ts";

/** What a path form leaves of the input's text. */
export type PathForm = "whole" | "stem" | "base" | "base_stem" | "folder";

export type Placeholder =
  /** `{}` and its path forms; `position` counts from 1 for `{2}`, null for the whole input. */
  | { readonly kind: "input"; readonly position: number | null; readonly form: PathForm }
  /** `{#}`: the task's number from 1. */
  | { readonly kind: "number" }
  /** `{%}`: the slot from 1. */
  | { readonly kind: "slot" }
  /** `{name}`: a field, when the input is an object that has it. */
  | { readonly kind: "field"; readonly name: string };

/** A text cut at its placeholders; `source` is what stands there when one turns out to be text. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "placeholder"; readonly source: string; readonly placeholder: Placeholder };

/** One task as templates see it. */
export interface TemplateInput {
  /** The decoded input; whatever it is when the shape says `none`. */
  readonly value: unknown;
  /** From 0. */
  readonly index: number;
  /** From 1. */
  readonly slot: number;
}

const FORMS: Readonly<Record<string, PathForm>> = {
  "": "whole",
  ".": "stem",
  "/": "base",
  "/.": "base_stem",
  "//": "folder",
};
const BRACED = /\{(?:(?<position>[1-9]\d{0,3})?(?<form>\/\.|\/\/|\.|\/)?|(?<name>[^{}]+))\}/g;

/** Cuts a text at its placeholders; `rename` stands for `{}` where the user chose another name. */
export function parseTemplate(text: string, rename: string | null): readonly TemplatePart[] {
  if (rename === null) return parseBraced(text, true);
  const parts: TemplatePart[] = [];
  text.split(rename).forEach((piece, i) => {
    if (i > 0) parts.push({ kind: "placeholder", source: rename, placeholder: WHOLE_INPUT });
    parts.push(...parseBraced(piece, false));
  });
  return parts;
}

export const WHOLE_INPUT: Placeholder = { kind: "input", position: null, form: "whole" };

function parseBraced(text: string, isBareInput: boolean): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let textFrom = 0;
  for (const match of text.matchAll(BRACED)) {
    const placeholder = toPlaceholder(match, isBareInput);
    if (placeholder === null) continue;
    if (match.index > textFrom) {
      parts.push({ kind: "text", text: text.slice(textFrom, match.index) });
    }
    parts.push({ kind: "placeholder", source: match[0], placeholder });
    textFrom = match.index + match[0].length;
  }
  if (textFrom < text.length) parts.push({ kind: "text", text: text.slice(textFrom) });
  return parts;
}

function toPlaceholder(match: RegExpExecArray, isBareInput: boolean): Placeholder | null {
  if (match[0] === "{}" && !isBareInput) return null;
  const { name, position, form } = match.groups ?? {};
  // `${HOME}`, `${1}` and `${#}` belong to the shell that the command may start.
  const isShells = match.input[match.index - 1] === "$";
  if (isShells && (name !== undefined || position !== undefined)) return null;
  if (name === "#") return { kind: "number" };
  if (name === "%") return { kind: "slot" };
  if (name !== undefined) return { kind: "field", name };
  return {
    kind: "input",
    position: position === undefined ? null : Number(position),
    form: FORMS[form ?? ""] ?? "whole",
  };
}

/** Resolves placeholders for one task; made once a task, so that its texts are made once. */
export interface Resolver {
  /** The texts that take the placeholder's place; null: it is no placeholder for this input. */
  resolve(placeholder: Placeholder): readonly string[] | null;
}

export function createResolver(shape: InputShape, input: TemplateInput): Resolver {
  let texts: readonly string[] | null = null;
  const wholeTexts = (): readonly string[] => {
    texts ??= wholeInputTexts(shape, input.value);
    return texts;
  };
  return {
    resolve(placeholder) {
      switch (placeholder.kind) {
        case "number":
          return [String(input.index + 1)];
        case "slot":
          return [String(input.slot)];
        case "field":
          return shape.none ? null : fieldTexts(shape, input.value, placeholder.name);
        case "input": {
          if (shape.none) return null;
          const { position, form } = placeholder;
          const found =
            position === null ? wholeTexts() : positionTexts(shape, input.value, position);
          return found === null || form === "whole"
            ? found
            : found.map((text) => applyPathForm(text, form));
        }
      }
    },
  };
}

function wholeInputTexts(shape: InputShape, value: unknown): readonly string[] {
  const isProduct = shape.product_sources > 0;
  if (shape.chunk === 0) return isProduct ? asList(value).map(inputText) : [inputText(value)];
  const entries = asList(value);
  return isProduct
    ? entries.flatMap((entry) => asList(entry).map(inputText))
    : entries.map(inputText);
}

/**
 * `{2}`: of a product its second source, of a chunk its second input, of an array its second element.
 * An input that is one text has a first position only, so that `a{2}` in a pattern stays as it is.
 */
function positionTexts(
  shape: InputShape,
  value: unknown,
  position: number,
): readonly string[] | null {
  const at = position - 1;
  if (shape.product_sources > 0) {
    if (position > shape.product_sources) return null;
    const tuples = shape.chunk === 0 ? [value] : asList(value);
    return tuples.map((tuple) => inputText(asList(tuple)[at]));
  }
  if (shape.chunk > 0) {
    if (position > shape.chunk) return null;
    return asList(value)
      .slice(at, at + 1)
      .map(inputText);
  }
  if (Array.isArray(value)) return at < value.length ? [inputText(value[at])] : null;
  return position === 1 ? [inputText(value)] : null;
}

function fieldTexts(shape: InputShape, value: unknown, name: string): readonly string[] | null {
  const objects = shape.chunk > 0 ? asList(value) : [value];
  const texts: string[] = [];
  for (const object of objects) {
    if (typeof object !== "object" || object === null || !Object.hasOwn(object, name)) return null;
    texts.push(inputText((object as Record<string, unknown>)[name]));
  }
  return texts.length === 0 ? null : texts;
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * An input as the text of an argument: strings as they are, everything else as JSON.
 * @throws CcError `unserializable` for bytes that are no text.
 */
export function inputText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "undefined":
      return "";
  }
  if (value === null) return "null";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return bytesText(value);
  const builder = new ValueColumnBuilder();
  encodeValue(value, builder);
  return valueAsJson(builder.take().data);
}

function bytesText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new CcError({
      code: "unserializable",
      message: `An input of ${bytes.byteLength} bytes is not UTF-8 and cannot be an argument.`,
      hint: "Give it to the command's stdin with --stdin.",
      exitCode: 2,
      cause,
    });
  }
}

/** As GNU parallel: an extension is the last dot of the last component and what follows it. */
export function applyPathForm(text: string, form: PathForm): string {
  switch (form) {
    case "whole":
      return text;
    case "stem":
      return withoutExtension(text);
    case "base":
      return baseName(text);
    case "base_stem":
      return withoutExtension(baseName(text));
    case "folder":
      return folderName(text);
  }
}

const withoutExtension = (text: string): string => text.replace(/\.[^/.]+$/, "");

const baseName = (text: string): string => text.slice(text.lastIndexOf("/") + 1);

/** As dirname(1): `.` where there is no folder, `/` for the root. */
function folderName(text: string): string {
  const trimmed = trimSlashes(text);
  const folder = trimSlashes(trimmed.slice(0, trimmed.lastIndexOf("/") + 1));
  if (folder !== "") return folder;
  return text.startsWith("/") ? "/" : ".";
}

/** A loop: a regular expression takes quadratic time on many slashes. */
function trimSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === "/") end--;
  return text.slice(0, end);
}
