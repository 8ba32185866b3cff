/**
 * The comments that stand before messages and fields in the protocol's sources, so that the generated
 * page says what the code says. It reads text, not syntax: the sources keep one form.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const PROTOCOL = resolve(import.meta.dir, "..", "src", "runtime", "protocol");
const SOURCES = [
  "messages/handshake.ts",
  "messages/client.ts",
  "messages/worker.ts",
  "messages/outputs.ts",
  "messages/reading.ts",
  "messages/logs.ts",
  "job-spec.ts",
];

export interface DefinitionComments {
  /** Before the whole definition; null without one. */
  readonly about: string | null;
  /** By field; of a name that stands in several objects of the definition the first one. */
  readonly fields: ReadonlyMap<string, string>;
}

/** By the name of the constant, such as `submitJob`. */
export function readComments(): ReadonlyMap<string, DefinitionComments> {
  const found = new Map<string, DefinitionComments>();
  for (const source of SOURCES) {
    const text = readFileSync(join(PROTOCOL, source), "utf8");
    for (const match of text.matchAll(DEFINITION)) {
      const before = text.slice(0, match.index);
      const rest = text.slice(match.index + match[0].length);
      const end = rest.search(TOP_LEVEL);
      found.set(match[1] ?? "", {
        about: commentAtEnd(before),
        fields: commentsOfFields(end === -1 ? rest : rest.slice(0, end)),
      });
    }
  }
  return found;
}

const DEFINITION = /^(?:export )?const (\w+) = z/gm;
const TOP_LEVEL = /^(?:\/\*\*|export |const |function )/m;
const FIELD = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+):/g;

function commentAtEnd(text: string): string | null {
  const start = text.lastIndexOf("/**");
  if (start === -1 || !/\*\/\n$/.test(text)) return null;
  return plain(text.slice(start + "/**".length, text.lastIndexOf("*/")));
}

function commentsOfFields(body: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, comment = "", name = ""] of body.matchAll(FIELD)) {
    if (!fields.has(name)) fields.set(name, plain(comment));
  }
  return fields;
}

const plain = (comment: string): string =>
  comment
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
