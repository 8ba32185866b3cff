import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderBash } from "../../src/commands/completion/bash.ts";
import { describeVerbs } from "../../src/commands/completion/described-verb.ts";
import { renderFish } from "../../src/commands/completion/fish.ts";
import { renderZsh } from "../../src/commands/completion/zsh.ts";
import { JOBS_VERB } from "../../src/commands/tables/look.ts";
import { SUBMIT_VERB } from "../../src/commands/tables/run.ts";
import { COMPLETION_VERB } from "../../src/commands/tables/setup.ts";

const VERBS = describeVerbs([SUBMIT_VERB, JOBS_VERB, COMPLETION_VERB]);

describe.if(Bun.which("bash") !== null)("bash", () => {
  /** What Tab offers after these words; the last one is being typed. */
  function complete(words: readonly string[]): readonly string[] {
    const folder = mkdtempSync(join(tmpdir(), "cc-completion-"));
    try {
      for (const name of ["job.ts", "notes.txt"]) writeFileSync(join(folder, name), "");
      const quoted = words.map((word) => `'${word}'`).join(" ");
      const script = `${renderBash(VERBS)}
compopt() { :; }
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _crowdcompute; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const run = Bun.spawnSync(["bash", "-c", script], { cwd: folder, timeout: 10_000 });
      expect(run.stderr.toString()).toBe("");
      return run.stdout
        .toString()
        .split("\n")
        .filter((line) => line !== "")
        .sort();
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test("offers verbs first, and files, for a compiler may be meant", () => {
    expect(complete(["cc", "s"])).toEqual(["submit"]);
    expect(complete(["cc", "j"])).toEqual(["job", "job.ts", "jobs"]);
    expect(complete(["cc", "--v"])).toEqual(["--version"]);
  });

  test("offers a verb's options, the values of a choice, and files where files belong", () => {
    expect(complete(["cc", "submit", "--each-"])).toEqual([
      "--each-csv",
      "--each-json",
      "--each-line",
    ]);
    expect(complete(["cc", "submit", "--format", "j"])).toEqual(["jsonl"]);
    expect(complete(["cc", "submit", "--format", "=", "j"])).toEqual(["jsonl"]);
    expect(complete(["cc", "submit", "-o", "no"])).toEqual(["notes.txt"]);
    expect(complete(["cc", "submit", "jo"])).toEqual(["job.ts"]);
    expect(complete(["cc", "completion", ""])).toEqual(["bash", "fish", "zsh"]);
    expect(complete(["cc", "job", "--mi"])).toEqual(["--mine"]);
  });

  test("leaves what follows -- and calls of the compiler to the shell", () => {
    expect(complete(["cc", "submit", "--", "--ea"])).toEqual([]);
    expect(complete(["cc", "-c", "x"])).toEqual([]);
  });
});

const shells = [
  ["zsh", renderZsh],
  ["fish", renderFish],
] as const;

describe.each(shells)("%s", (shell, render) => {
  const script = render(VERBS);

  test.if(Bun.which(shell) !== null)("accepts its script", () => {
    const run = Bun.spawnSync([shell, "-n"], { stdin: Buffer.from(script), timeout: 10_000 });
    expect(run.stderr.toString()).toBe("");
    expect(run.exitCode).toBe(0);
  });

  test("names every verb, synonym and option once or more, and no hidden one", () => {
    for (const verb of VERBS) {
      for (const word of verb.words) expect(script).toContain(word);
      for (const { long } of verb.options)
        expect(script).toContain(shell === "fish" ? `-l ${long.slice(2)} ` : long);
    }
  });

  test("keeps quotes closed around descriptions with apostrophes", () => {
    for (const line of script.split("\n").filter((candidate) => !candidate.startsWith("#"))) {
      const bare = line.replaceAll("'\\''", "").replaceAll("\\'", "");
      expect((bare.match(/'/g) ?? []).length % 2).toBe(0);
    }
  });
});
