// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/** What tests of large stdouts share: a command that prints one in two halves, and looks at what is kept. */
import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunOptions } from "../../support/binary.ts";
import { type Cluster, eventually } from "./cluster.ts";

const MIB = 1024 ** 2;
const LINES = 1_500_000;
const HALF_BYTES = 9 * MIB;

/** Says which attempt it is, prints half of it, waits to be let go on, and prints the other half. */
export const PRINTS = `echo "attempt $CC_ATTEMPT"; seq 1 ${LINES}; until [ -e go ]; do sleep 0.05; done; seq 1 ${LINES}; echo end`;

export function printedBy(attempt: number): string {
  const half = Array.from({ length: LINES }, (_, i) => `${i + 1}\n`).join("");
  return `attempt ${attempt}\n${half}${half}end\n`;
}

export const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

export interface Outputs {
  /** Files of outputs and what they have, from where the test sees the store. */
  kept(): { readonly name: string; readonly bytes: number }[];
  untilHalfIsKept(): Promise<void>;
  letGoOn(): void;
  submit(...words: readonly string[]): Promise<string>;
  /** The SHA-256 of what `cc results` prints, by way of a file. */
  printed(jobId: string, run?: RunOptions): Promise<string>;
  /** The only task of a job, once it has ended. */
  ended(jobId: string): Promise<Record<string, unknown>>;
  expectSound(): Promise<void>;
}

export function outputsOf(cluster: Cluster, store: string = cluster.storeFolder): Outputs {
  const folder = join(store, "artifacts");
  const kept: Outputs["kept"] = () =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".stdout"))
      .map((name) => ({ name, bytes: statSync(join(folder, name)).size }));
  return {
    kept,
    untilHalfIsKept: () =>
      eventually("the first half lies at the foreman", () =>
        kept().some(({ bytes }) => bytes > HALF_BYTES),
      ),
    letGoOn: () => writeFileSync(join(cluster.world.folder, "go"), ""),
    async submit(...words) {
      const { stdout, stderr, exitCode } = await cluster.cc(["submit", "-d", ...words]);
      if (exitCode !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    async printed(jobId, run) {
      const { stderr, exitCode } = await cluster.cc(["results", jobId, "-o", "printed"], run);
      expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
      return sha256(readFileSync(join(cluster.world.folder, "printed")));
    },
    async ended(jobId) {
      await cluster.cc(["wait", "-q", jobId]);
      const [task] = await cluster.json(["tasks", `${jobId}/0`]);
      return task as Record<string, unknown>;
    },
    async expectSound() {
      const doctor = await cluster.cc(["doctor", "--store", cluster.storeFolder]);
      expect(doctor).toMatchObject({ exitCode: 0 });
    },
  };
}
