/** Answers what is no verb: habits from other programs, slips of the finger, and a job file without `submit`. */
import { nearestName } from "../runtime/platform/nearest-name.ts";
import { type CcError, usageError } from "../runtime/protocol/error.ts";

/** What people type out of habit, and the verbs that do it here; the first that exists is named. */
const HABITS: Readonly<Record<string, readonly string[]>> = {
  ls: ["jobs"],
  list: ["jobs"],
  ps: ["jobs"],
  status: ["jobs"],
  "job-list": ["jobs"],
  kill: ["cancel"],
  stop: ["cancel"],
  run: ["submit"],
  start: ["submit"],
  log: ["logs"],
  delete: ["rm"],
  server: ["foreman"],
};

/** `verbs` are all words that `findCommand` knows. */
export function mistypedVerb(word: string, verbs: readonly string[]): CcError {
  if (word === "help")
    return usageError("unknown_verb", 'There is no verb "help".', "cc --help, or cc VERB --help");
  const habit = (Object.hasOwn(HABITS, word) ? HABITS[word] : undefined)?.find((verb) =>
    verbs.includes(verb),
  );
  if (habit !== undefined)
    return usageError(
      "unknown_verb",
      `There is no verb "${word}"; here it is "${habit}".`,
      `cc ${habit} --help`,
    );
  const near = nearestName(word, verbs);
  return usageError(
    "unknown_verb",
    `There is no verb "${word}".`,
    near === null ? "cc --help lists the verbs." : `Did you mean cc ${near}?`,
  );
}

export function jobFileWithoutVerb(path: string): CcError {
  return usageError("missing_verb", `"${path}" is a job file, not a verb.`, `cc submit ${path}`);
}
