/**
 * The difference between two states of a view, so that a followed view costs what changed in it. Works
 * on plain JSON: objects are compared key by key, everything else (lists, texts, numbers) is replaced
 * whole. Unlike RFC 7396 a null is a value here, since views are full of them.
 */

export interface ViewPatch {
  /** Keys with their new values. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Keys that are gone. */
  readonly drop?: readonly string[];
  /** Keys whose objects changed in part. */
  readonly within?: Readonly<Record<string, ViewPatch>>;
}

/** null: nothing differs. */
export function diffView(before: object, after: object): ViewPatch | null {
  const was = before as Readonly<Record<string, unknown>>;
  const is = after as Readonly<Record<string, unknown>>;
  const set: Record<string, unknown> = {};
  const within: Record<string, ViewPatch> = {};
  for (const [key, value] of Object.entries(is)) {
    const old = Object.hasOwn(was, key) ? was[key] : undefined;
    if (old === value && (value !== undefined || Object.hasOwn(was, key))) continue;
    if (isPlain(old) && isPlain(value)) {
      const patch = diffView(old, value);
      if (patch !== null) define(within, key, patch);
    } else if (!Object.hasOwn(was, key) || !isSame(old, value)) define(set, key, value);
  }
  const drop = Object.keys(was).filter((key) => !Object.hasOwn(is, key));
  const patch = {
    ...(Object.keys(set).length > 0 ? { set } : {}),
    ...(drop.length > 0 ? { drop } : {}),
    ...(Object.keys(within).length > 0 ? { within } : {}),
  };
  return Object.keys(patch).length === 0 ? null : patch;
}

/** A new object; what did not change is shared with `before`. */
export function applyPatch(before: object, patch: ViewPatch): object {
  const after: Record<string, unknown> = { ...before };
  for (const key of patch.drop ?? []) delete after[key];
  for (const [key, value] of Object.entries(patch.set ?? {})) define(after, key, value);
  for (const [key, inner] of Object.entries(patch.within ?? {})) {
    const old = Object.hasOwn(after, key) ? after[key] : undefined;
    define(after, key, applyPatch(isPlain(old) ? old : {}, inner));
  }
  return after;
}

/** Names come from other people: `__proto__` is a key like any other. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => isSame(item, b[at]));
  }
  return isPlain(a) && isPlain(b) && diffView(a, b) === null;
}
