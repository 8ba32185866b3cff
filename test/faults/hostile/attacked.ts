/**
 * A foreman under attack, one honest worker, and an honest client that uses both all the while. After
 * each attack the foreman must be the same process, have said nothing of a fault of its own, have grown
 * within bounds, and have given the client every answer, right.
 */
import { expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readKeyFile } from "../../../src/runtime/transport/key-files.ts";
import type { Key, KeyRole } from "../../../src/runtime/transport/keys.ts";
import { BINARY } from "../../support/binary.ts";
import { type Cluster, type ClusterOptions, openCluster } from "../support/cluster.ts";
import { report } from "../support/long.ts";
import {
  HONEST_LABEL,
  type HonestClient,
  type HonestFigures,
  startHonestClient,
} from "./honest-client.ts";
import { openProven, type RawPeer, type RawPeerOptions } from "./raw-peer.ts";

export interface Attacked {
  readonly cluster: Cluster;
  readonly keys: Readonly<Record<KeyRole, Key>>;
  /** A hostile peer with a key of this role. */
  proven(role: KeyRole, options?: RawPeerOptions): Promise<RawPeer>;
  /**
   * Runs the attack beside the honest client, by whose jobs it may measure its length; `mebibytesMax`
   * bounds what the foreman grows by.
   */
  besideHonest(
    name: string,
    attack: (honest: Pick<HonestClient, "untilJobs">) => Promise<void>,
    bounds?: { readonly mebibytesMax?: number },
  ): Promise<HonestFigures>;
  close(): Promise<void>;
}

const MEBIBYTES_MAX = 64;
const SAMPLE_MS = 20;

export interface AttackedOptions extends ClusterOptions {
  /** Of the foreman, as `prlimit` takes them. */
  readonly limits?: readonly string[];
}

export async function openAttacked({
  limits,
  ...options
}: AttackedOptions = {}): Promise<Attacked> {
  const folder = mkdtempSync(join(tmpdir(), "cc-attacked-"));
  const limited = limits === undefined ? {} : { program: writeLimiter(folder, limits) };
  const cluster = await openCluster({ ...options, ...limited });
  const keys = { client: readKey(cluster, "admin"), worker: readKey(cluster, "worker") };
  await cluster.worker("honest", { slots: 2, args: ["--label", HONEST_LABEL.join("=")] });
  return {
    cluster,
    keys,
    proven: (role, peerOptions) => openProven(cluster.url, keys[role], role, peerOptions),
    async besideHonest(name, attack, { mebibytesMax = MEBIBYTES_MAX } = {}) {
      const { pid } = cluster.foreman;
      expectUnhurt(cluster);
      const client = await startHonestClient(cluster.url, keys.client);
      // What the first jobs allocate is nobody's attack.
      await client.untilJobs(20);
      client.forget();
      const before = residentMebibytes(pid);
      let most = before;
      const sampling = setInterval(() => {
        most = Math.max(most, residentMebibytes(pid));
      }, SAMPLE_MS);
      try {
        await attack(client);
        await client.untilJobs(10);
      } catch (thrown) {
        await client.stop().catch(() => {});
        const log = cluster.foreman.stderr().slice(-2_000);
        throw new Error(`${name}: ${thrown}; the foreman's log ends:\n${log}`, { cause: thrown });
      } finally {
        clearInterval(sampling);
      }
      const figures = await client.stop();
      const after = residentMebibytes(pid);
      report(
        `${name}: ${figures.jobCount} honest jobs beside it, acknowledged in p50 ${figures.p50Ms.toFixed(1)} ms, ` +
          `p99 ${figures.p99Ms.toFixed(1)} ms; foreman ${before.toFixed(0)} MiB before, ${most.toFixed(0)} at most, ${after.toFixed(0)} after`,
      );
      expectUnhurt(cluster);
      expect(most - before).toBeLessThan(mebibytesMax);
      return figures;
    },
    async close() {
      await cluster.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A program that becomes the binary, within limits, under the same process number. */
function writeLimiter(folder: string, limits: readonly string[]): string {
  const path = join(folder, "limited");
  const script = `#!/bin/sh\nexec prlimit ${limits.join(" ")} '${BINARY}' "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

/** Still the same process, and nothing in its log that only a fault of ours can say. */
export function expectUnhurt({ foreman }: Cluster): void {
  expect(() => process.kill(foreman.pid, 0)).not.toThrow();
  const faults = foreman
    .stderr()
    .split("\n")
    .filter((line) =>
      /handler fails|request failed|internal|Error:|unhandled|"level":"error"/i.test(line),
    );
  expect(faults).toEqual([]);
}

function readKey({ world }: Cluster, name: "admin" | "worker"): Key {
  const folder = join(world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute", "keys");
  return readKeyFile(join(folder, `local-${name}.key`));
}

export function residentMebibytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}
