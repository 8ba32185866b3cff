/** The verbs around a job: a new project, the machine's health, speed, completion and the version. */
import { defineVerb } from "../option-table.ts";
import { CLIENT_OPTIONS } from "./shared.ts";

export const INIT_VERB = defineVerb({
  verb: "init",
  group: "Set up",
  summary: "begin a job project that an editor type-checks",
  usage: ["init [DIR]"],
  positionals: [{ name: "DIR", required: false, completes: "folder" }],
  options: {
    json: CLIENT_OPTIONS.json,
    quiet: CLIENT_OPTIONS.quiet,
    noColor: CLIENT_OPTIONS.noColor,
  },
  examples: [
    {
      line: "cc init primes && cd primes && cc submit job.ts",
      does: "from nothing to a first result",
    },
  ],
  notes: ["Files that exist are left as they are."],
});

export const DOCTOR_VERB = defineVerb({
  verb: "doctor",
  group: "Set up",
  summary: "check this machine, its files and the way to the foreman",
  usage: ["doctor [options]"],
  positionals: [],
  options: {
    store: {
      type: "string",
      value: "DIR",
      completes: "folder",
      description: "check this store as a whole",
    },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc doctor", does: "what is wrong, and where each setting comes from" },
    { line: "cc doctor -q", does: "only what is wrong or good to know" },
    { line: "cc doctor --store DIR", does: "check every page and every row of a store" },
  ],
  notes: [
    "It looks and changes nothing; a store may be in use meanwhile.",
    "Exit codes: 0 nothing is wrong, 1 something is.",
  ],
});

export const BENCH_VERB = defineVerb({
  verb: "bench",
  group: "Set up",
  summary: "measure this installation",
  usage: ["bench [options]"],
  positionals: [],
  options: {
    runs: {
      type: "integer",
      min: 1,
      max: 100,
      default: 1,
      description: "measure each figure so often and print the spread",
    },
    only: {
      type: "list",
      value: "FIGURE,…",
      separator: ",",
      description: "only these, such as throughput,latency",
    },
    tasks: {
      type: "integer",
      min: 1_000,
      max: 100_000_000,
      description: "tasks of the figures about many",
      defaultText: "1000000",
    },
    json: CLIENT_OPTIONS.json,
    quiet: CLIENT_OPTIONS.quiet,
    noColor: CLIENT_OPTIONS.noColor,
  },
  examples: [{ line: "cc bench", does: "tasks a second, latency and memory on this machine" }],
});

export const COMPLETION_VERB = defineVerb({
  verb: "completion",
  group: "About",
  summary: "print the completion script of a shell",
  usage: ["completion bash|zsh|fish"],
  positionals: [{ name: "SHELL", required: true, completes: ["bash", "zsh", "fish"] }],
  options: {},
  examples: [
    { line: "source <(cc completion bash)", does: "in ~/.bashrc" },
    { line: "source <(cc completion zsh)", does: "in ~/.zshrc, after compinit" },
    { line: "cc completion fish > ~/.config/fish/completions/cc.fish", does: "once" },
  ],
});

export const VERSION_VERB = defineVerb({
  verb: "version",
  group: "About",
  summary: "print the version",
  usage: ["version [--json]"],
  positionals: [],
  options: { json: CLIENT_OPTIONS.json },
  examples: [{ line: "cc version", does: "the version, the platform and the runtime inside" }],
});
