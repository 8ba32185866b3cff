/**
 * The files of a new job project. They must work as they are: an editor type-checks them without
 * `npm install`, and `cc submit job.ts` runs them.
 */
// @ts-expect-error TypeScript reads a .d.ts as types only; the attribute makes it a text here, so that
// the file can serve our own examples as types and new projects as content.
import authorTypes from "./crowdcompute.d.ts" with { type: "text" };

/** Types of the module "crowdcompute", as text. */
export const AUTHOR_TYPES: string = authorTypes;

export interface ProjectFile {
  readonly name: string;
  readonly text: string;
  /** `refuse`: another text under this name is an error. `keep`: whatever exists stays. */
  readonly whenDifferent: "refuse" | "keep";
}

const JOB_TEXT = `/**
 * Estimates pi by throwing darts at a square and counting those that land in the circle.
 *
 *   cc submit job.ts               20 tasks; prints one number, about 3.1415
 *   cc submit job.ts -- 200        more tasks, a better estimate
 *   cc submit --seed 7 job.ts      other darts; the same seed gives the same number again
 */
import type { Context, JobOptions } from "crowdcompute";

/** The flags of cc submit, camelCase. What is given on the command line wins. */
export const options = { name: "pi", retries: 2, timeout: "1m" } satisfies JobOptions;

const DARTS_PER_TASK = 1_000_000;

/** Runs where you submit: each value becomes the input of one task. */
export function* inputs(args: string[]): Generator<number> {
  const taskCount = Number(args[0] ?? 20);
  for (let task = 0; task < taskCount; task++) yield DARTS_PER_TASK;
}

/** Runs on a worker, once for each input. What it returns is the task's result. */
export default async function estimate(darts: number, ctx: Context): Promise<number> {
  let hits = 0;
  for (let dart = 0; dart < darts; dart++) {
    const x = ctx.random();
    const y = ctx.random();
    if (x * x + y * y < 1) hits++;
  }
  return (4 * hits) / darts;
}

/** Runs where you submit, over the results in input order. Without it every result is printed. */
export const initial = 0;
export const reduce = (mean: number, value: number, index: number): number =>
  mean + (value - mean) / (index + 1);
`;

const TSCONFIG_TEXT = `{
  "compilerOptions": {
    "target": "esnext",
    "module": "esnext",
    "moduleResolution": "bundler",
    "lib": ["esnext", "dom"],
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "resolveJsonModule": true,
    "skipLibCheck": true
  },
  "include": ["**/*.ts"]
}
`;

export const PROJECT_FILES: readonly ProjectFile[] = [
  { name: "job.ts", text: JOB_TEXT, whenDifferent: "refuse" },
  { name: "tsconfig.json", text: TSCONFIG_TEXT, whenDifferent: "refuse" },
  { name: "crowdcompute.d.ts", text: AUTHOR_TYPES, whenDifferent: "refuse" },
  { name: ".gitignore", text: "node_modules/\n", whenDifferent: "keep" },
];
