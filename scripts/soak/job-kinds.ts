/**
 * What the soak submits: each kind says how it is submitted, what is done to it meanwhile, and what
 * every one of its tasks must come to, whatever is killed around it.
 */
import type { Chance } from "./chance.ts";

export interface ExpectedTask {
  readonly status: "completed" | "failed" | "cancelled" | "completed or cancelled";
  readonly value?: unknown;
}

export interface PlannedJob {
  readonly kind: string;
  readonly taskCount: number;
  /** After `cc submit`; the idempotency key comes with them. */
  readonly words: readonly string[];
  readonly retries: number;
  /** What is done once it is submitted. */
  readonly meanwhile: "nothing" | "cancel" | "retry";
  expected(index: number): ExpectedTask;
}

/** No loss may turn into a failure here: kills are counted by the checker instead. */
const PATIENT = ["--max-crashes", "1000", "--max-fails", "none"];

const FILES = {
  "square.ts": "export default (n: number) => n * n;\n",
  "slow.ts":
    "export default async (n: number) => { await new Promise((r) => setTimeout(r, 20 + (n % 7) * 30)); return n + 1; };\n",
  "sevens.ts":
    'export default (n: number) => { if (n % 7 === 0) throw new Error("a seven"); return -n; };\n',
  "flaky.ts":
    'export default (n: number, ctx) => { if (ctx.attempt < 2) throw new Error("not yet"); return "ok " + n; };\n',
  "later.ts":
    'export default (n: number, ctx) => { if (ctx.attempt < 2) throw new Error("come again"); return n; };\n',
} as const;

export const jobFiles: Readonly<Record<string, string>> = FILES;

type FileName = keyof typeof FILES;

export function planJob(chance: Chance): PlannedJob {
  return chance.pick([small, small, slow, slow, big, commands, failing, flaky, cancelled, retried])(
    chance,
  );
}

const over = (taskCount: number): string[] => ["--array", `0-${taskCount - 1}`];

function functions(
  kind: string,
  file: FileName,
  taskCount: number,
  plan: Partial<PlannedJob> & Pick<PlannedJob, "expected">,
): PlannedJob {
  const { retries = 0 } = plan;
  const words = [file, ...over(taskCount), ...PATIENT, "--retries", `${retries}`];
  return {
    kind,
    taskCount,
    retries,
    meanwhile: "nothing",
    ...plan,
    words: [...words, "--backoff", "100ms"],
  };
}

const completed = (value: unknown): ExpectedTask => ({ status: "completed", value });

const small = (chance: Chance): PlannedJob =>
  functions("small", "square.ts", chance.between(1, 60), { expected: (n) => completed(n * n) });

const slow = (chance: Chance): PlannedJob =>
  functions("slow", "slow.ts", chance.between(20, 200), { expected: (n) => completed(n + 1) });

const big = (chance: Chance): PlannedJob =>
  functions("big", "square.ts", chance.between(20_000, 100_000), {
    expected: (n) => completed(n * n),
  });

function commands(chance: Chance): PlannedJob {
  const taskCount = chance.between(2, 40);
  return {
    kind: "commands",
    taskCount,
    retries: 0,
    meanwhile: "nothing",
    words: [...over(taskCount), ...PATIENT, "--", "echo", "task {}"],
    expected: () => ({ status: "completed" }),
  };
}

const failing = (chance: Chance): PlannedJob =>
  functions("failing", "sevens.ts", chance.between(10, 80), {
    retries: 1,
    expected: (n) => (n % 7 === 0 ? { status: "failed" } : completed(-n)),
  });

const flaky = (chance: Chance): PlannedJob =>
  functions("flaky", "flaky.ts", chance.between(5, 60), {
    retries: 3,
    expected: (n) => completed(`ok ${n}`),
  });

const cancelled = (chance: Chance): PlannedJob =>
  functions("cancelled", "slow.ts", chance.between(100, 2_000), {
    meanwhile: "cancel",
    expected: (n) => ({ status: "completed or cancelled", value: n + 1 }),
  });

const retried = (chance: Chance): PlannedJob =>
  functions("retried", "later.ts", chance.between(3, 50), {
    meanwhile: "retry",
    expected: completed,
  });
