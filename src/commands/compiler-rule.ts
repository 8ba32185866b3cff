/**
 * Decides whether a call of `cc` is ours or the C compiler's, from its words and a few facts. Pure, so
 * that every case can be tested. When in doubt it is the compiler's: a build must never notice us.
 */

export interface CallFacts {
  /** The words after the program's name. */
  readonly words: readonly string[];
  /** Called as `crowdcompute`: then nothing is a compiler call. */
  readonly neverCompiler: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly isVerb: (word: string) => boolean;
  /** Whether some verb has this long option; the name has no dashes. */
  readonly isOwnOption: (name: string) => boolean;
  /** Whether such a path is there and is no folder. */
  readonly isFile: (path: string) => boolean;
  /** Whether another `cc` stands on PATH; asked only where the answer matters. */
  readonly compilerFollows: () => boolean;
}

export type Verdict =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "verb" }
  /** Our options stand before the verb, as in `cc --json jobs`. */
  | { readonly kind: "leading-options" }
  | { readonly kind: "mistyped-verb"; readonly word: string }
  | { readonly kind: "job-file"; readonly path: string }
  | { readonly kind: "compiler" };

const JOB_FILE = /\.[cm]?[jt]sx?$/;
const BARE_WORD = /^[A-Za-z][A-Za-z-]*$/;
/** Long options that gcc or clang know too; they are ours only where a verb stands among the words. */
const SHARED_WITH_COMPILERS: ReadonlySet<string> = new Set(["config", "output", "resource"]);

export function judgeCall(facts: CallFacts): Verdict {
  const word = facts.words[0];
  if (word === undefined || word === "-h" || word === "--help") return { kind: "help" };
  if (word === "--version") return judgeVersion(facts);
  if (facts.isVerb(word)) return { kind: "verb" };
  if (word.startsWith("--") && isOurLongOption(word, facts)) return { kind: "leading-options" };
  if (!word.startsWith("-") && !word.startsWith("@") && JOB_FILE.test(word))
    return { kind: "job-file", path: word };
  if (BARE_WORD.test(word) && (facts.neverCompiler || !facts.isFile(word)))
    return { kind: "mistyped-verb", word };
  if (!facts.neverCompiler) return { kind: "compiler" };
  return word.startsWith("-") ? { kind: "leading-options" } : { kind: "mistyped-verb", word };
}

/** Build tools read `cc --version` to know their compiler; a person at a terminal means us. */
function judgeVersion(facts: CallFacts): Verdict {
  if (facts.neverCompiler || facts.stdoutIsTerminal || !facts.compilerFollows())
    return { kind: "version" };
  return { kind: "compiler" };
}

function isOurLongOption(word: string, facts: CallFacts): boolean {
  const name = word.slice(2).replace(/=.*$/s, "");
  if (!facts.isOwnOption(name)) return false;
  return !SHARED_WITH_COMPILERS.has(name) || facts.words.some((other) => facts.isVerb(other));
}
