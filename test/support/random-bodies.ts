/** JSON bodies as views have them, drawn and changed at random, with the worst keys that people can choose. */
import type { Random } from "./fuzz/random.ts";

/** Names that people may choose, and that objects have already. */
const KEYS = [
  "a",
  "b",
  "17",
  "",
  "__proto__",
  "__proto_",
  "constructor",
  "hasOwnProperty",
  "toString",
  "toJSON",
  "length",
];
const SCALARS: unknown[] = [null, 0, 1, -1, 0.1, 1e9, true, false, "", "text", "\u202e\u0000"];

export type Body = Record<string, unknown>;

function randomValue(random: Random, depth: number): unknown {
  if (depth === 0 || random.chance(0.4)) return random.pick(SCALARS);
  if (random.chance(0.3)) {
    return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  }
  return randomBody(random, depth - 1);
}

export function randomBody(random: Random, depth: number): Body {
  const entries = Array.from(
    { length: random.below(6) },
    () => [random.pick(KEYS), randomValue(random, depth)] as const,
  );
  return Object.fromEntries(entries);
}

/** The same body with a few keys that came, went or have another value, at any depth. */
export function changed(random: Random, body: Body, depth: number): Body {
  const entries = new Map(Object.entries(body));
  for (const [key, value] of entries) {
    if (random.chance(0.6)) continue;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (random.chance(0.2)) entries.delete(key);
    else if (isObject && random.chance(0.7))
      entries.set(key, changed(random, value as Body, depth - 1));
    else entries.set(key, randomValue(random, Math.max(0, depth - 1)));
  }
  if (random.chance(0.4))
    entries.set(random.pick(KEYS), randomValue(random, Math.max(0, depth - 1)));
  return Object.fromEntries(entries);
}

/** As JSON, with the keys of each object in order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`,
  );
  return `{${entries.sort().join(",")}}`;
}
