/** Globs of lists: `*` any characters, `?` one; bounded, linear, never a regular expression. */
import { usageError } from "../../protocol/error.ts";

const WILDCARDS_MAX = 8;

/** @throws CcError `bad_glob` when there are too many wildcards. */
export function globMatcher(glob: string): (text: string) => boolean {
  if ([...glob].filter((character) => character === "*").length > WILDCARDS_MAX) {
    throw usageError("bad_glob", `The pattern "${glob}" has more than ${WILDCARDS_MAX} stars.`);
  }
  return (text) => matches(glob, text);
}

/** Goes back to the last star alone, which is enough for globs. */
function matches(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  let i = 0;
  while (i < text.length) {
    if (at < glob.length && (glob[at] === "?" || glob[at] === text[i]) && glob[at] !== "*") {
      at++;
      i++;
    } else if (glob[at] === "*") {
      star = at++;
      retry = i;
    } else if (star >= 0) {
      at = star + 1;
      i = ++retry;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}
