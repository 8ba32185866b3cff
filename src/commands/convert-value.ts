/**
 * Turns what was given for an option into its value: words from the command line and the environment,
 * JSON from a configuration file or a job file's `options`. Both ways end in the same checks, so a value
 * is judged alike wherever it stands.
 */
import { assertNever, usageError } from "../runtime/protocol/error.ts";
import { NAME_BYTES_MAX } from "../runtime/protocol/limits.ts";
import {
  exampleOf,
  parseDecimal,
  parseDurationMs,
  parseInteger,
  parseNamedText,
  parseSizeBytes,
} from "../runtime/protocol/quantity.ts";
import type { OptionSpec } from "./option-table.ts";

/** `label` names the option in messages: `--retries`, `CC_SLOTS`, `job.ts options.retries`. */
export function convertTexts(spec: OptionSpec, texts: readonly string[], label: string): unknown {
  switch (spec.type) {
    case "list":
      return texts.flatMap((text) => splitList(text, spec.separator));
    case "pairs":
    case "environment":
    case "amounts":
      return convertPairs(spec.type, texts, label);
    case "boolean":
    case "string":
    case "duration":
    case "size":
    case "integer":
    case "number":
    case "choice":
    case "optional-integer":
    case "custom":
      return convertScalar(spec, onlyOne(texts, label), label);
    default:
      return assertNever(spec, "option type");
  }
}

/** The same from JSON: numbers and booleans stand for their text, objects for `K=V`, arrays for repetition. */
export function convertJson(spec: OptionSpec, value: unknown, label: string): unknown {
  if (spec.type === "boolean" || (spec.type === "optional-integer" && typeof value === "boolean")) {
    if (typeof value !== "boolean") throw badType(label, value, "true or false");
    return value;
  }
  if (spec.type === "list") return convertTexts(spec, textsOf(value, label), label);
  if (spec.type === "pairs" || spec.type === "environment" || spec.type === "amounts") {
    return convertTexts(spec, pairTextsOf(value, label), label);
  }
  return convertTexts(spec, [textOf(value, label, "a text or a number")], label);
}

type ScalarSpec = Exclude<
  OptionSpec,
  { readonly type: "list" | "pairs" | "environment" | "amounts" }
>;

function convertScalar(spec: ScalarSpec, text: string, label: string): unknown {
  if ("words" in spec && spec.words?.includes(text)) return text;
  switch (spec.type) {
    case "boolean":
      return parseBoolean(text, label);
    case "string":
      return checkLength(text, label, spec);
    case "duration":
      return parseDurationMs(text, label, spec);
    case "size":
      return parseSizeBytes(text, label, spec);
    case "integer":
      return parseInteger(text, label, spec);
    case "number":
      return parseDecimal(text, label, spec);
    case "optional-integer":
      return text === "" ? true : parseInteger(text, label, spec);
    case "choice":
      return parseChoice(text, label, spec.choices);
    case "custom":
      return spec.parse(text, label);
    default:
      return assertNever(spec, "option type");
  }
}

function onlyOne(texts: readonly string[], label: string): string {
  if (texts.length > 1) {
    throw usageError(
      "repeated_option",
      `${label} was given ${texts.length} times: ${texts.join(", ")}.`,
      "Give it once.",
    );
  }
  return texts[0] ?? "";
}

function parseBoolean(text: string, label: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw usageError("bad_boolean", `${label}: "${text}" is neither true nor false.`);
}

function checkLength(
  text: string,
  label: string,
  { lengthMin = 0, lengthMax }: { readonly lengthMin?: number; readonly lengthMax?: number },
): string {
  const isTooLong = lengthMax !== undefined && text.length > lengthMax;
  if (text.length >= lengthMin && !isTooLong) return text;
  const what = text === "" ? "it is empty" : `it has ${text.length} characters`;
  const upTo = lengthMax === undefined ? `at least ${lengthMin}` : `${lengthMin} to ${lengthMax}`;
  throw usageError("bad_length", `${label}: ${what}; expected ${upTo} characters.`);
}

function parseChoice(text: string, label: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw usageError("bad_choice", `${label}: "${text}" is not one of ${choices.join(", ")}.`);
}

function splitList(text: string, separator: string | undefined): readonly string[] {
  if (separator === undefined) return [text];
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function convertPairs(
  type: "pairs" | "environment" | "amounts",
  texts: readonly string[],
  label: string,
): unknown {
  // Without a prototype a name such as "toString" is only a name.
  const record: Record<string, string | number | null> = Object.create(null);
  for (const text of texts) {
    const { name, value } = parseNamedText(text, label);
    checkLength(name, label, { lengthMax: NAME_BYTES_MAX });
    if (name in record)
      throw usageError("repeated_option", `${label}: "${name}" was given twice.`, "Give it once.");
    if (value === null && type !== "environment") {
      throw usageError(
        "bad_pair",
        `${label}: "${text}" has no "=".`,
        `Write ${exampleOf(label, `${name}=${type === "amounts" ? "1" : "VALUE"}`)}.`,
      );
    }
    record[name] =
      type === "amounts"
        ? parseDecimal(value ?? "", `${label} ${name}`, { min: 0 })
        : type === "pairs"
          ? checkLength(value ?? "", `${label} ${name}`, { lengthMax: NAME_BYTES_MAX })
          : value;
  }
  return record;
}

function textsOf(value: unknown, label: string): readonly string[] {
  const many = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return many.map((one) => textOf(one, label, "a text or an array of texts"));
}

function pairTextsOf(value: unknown, label: string): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return textsOf(value, label);
  if (typeof value !== "object" || value === null) {
    throw badType(label, value, "an object of names and values");
  }
  return Object.entries(value).map(([name, part]) =>
    part === null ? name : `${name}=${textOf(part, `${label}.${name}`, "a text or a number")}`,
  );
}

function textOf(value: unknown, label: string, expected: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return decimalText(value);
  if (typeof value === "boolean") return String(value);
  throw badType(label, value, expected);
}

/** `1e21` is how JavaScript writes it; a person's number never looks so. */
function decimalText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function badType(label: string, value: unknown, expected: string): Error {
  const shown = value === undefined ? "undefined" : (JSON.stringify(value) ?? typeof value);
  return usageError("bad_type", `${label}: ${shown.slice(0, 100)} is not ${expected}.`);
}
