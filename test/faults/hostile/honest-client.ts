/**
 * An honest client: submits a job of three tasks, reads its results, compares, and begins again, until
 * it is stopped. It notes how long each submission waited for its acknowledgement.
 */
import { valueAt } from "../../../src/runtime/protocol/columns.ts";
import { decodeCommandOutcome } from "../../../src/runtime/protocol/command-outcome.ts";
import type { MessageOf } from "../../../src/runtime/protocol/messages.ts";
import type { Key } from "../../../src/runtime/transport/keys.ts";
import { aSpec, commandWork } from "../../support/specs.ts";
import { openProven, type RawPeer } from "./raw-peer.ts";

export interface HonestFigures {
  readonly jobCount: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface HonestClient {
  /** Resolves when so many more jobs have ended as they should. */
  untilJobs(count: number): Promise<void>;
  /** Begins the figures anew. */
  forget(): void;
  /** Ends after the job that runs; rejects when anything was wrong. */
  stop(): Promise<HonestFigures>;
}

const TASK_COUNT = 3;
/** Between jobs: it is the others that make the load. */
const PAUSE_MS = 10;
/** Of the honest worker: no hostile one is asked. */
export const HONEST_LABEL = ["is", "honest"] as const;

export async function startHonestClient(url: string, key: Key): Promise<HonestClient> {
  const peer = await openProven(url, key, "client");
  let latenciesMs: number[] = [];
  let jobCount = 0;
  let isStopping = false;
  let isOver = false;
  let onJob = Promise.withResolvers<void>();

  async function run(): Promise<void> {
    try {
      while (!isStopping) {
        latenciesMs.push(await runJob(peer, ++jobCount));
        onJob.resolve();
        onJob = Promise.withResolvers();
        await Bun.sleep(PAUSE_MS);
      }
    } catch (thrown) {
      onJob.reject(thrown);
      throw thrown;
    } finally {
      isOver = true;
      peer.end();
    }
  }

  const running = run();
  // Whoever waits hears of it; `stop` says it again.
  running.catch(() => {});
  onJob.promise.catch(() => {});
  return {
    async untilJobs(count) {
      for (const wanted = jobCount + count; jobCount < wanted && !isOver; ) {
        await Promise.race([onJob.promise, running]);
      }
    },
    forget() {
      latenciesMs = [];
    },
    async stop() {
      isStopping = true;
      await running;
      const sorted = latenciesMs.sort((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
      return { jobCount: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) };
    },
  };
}

/** Returns how long the acknowledgement took. */
async function runJob(peer: RawPeer, number: number): Promise<number> {
  const work = commandWork(["echo", `${number}`, "{}"], { cwd: "/" });
  const sentAtMs = performance.now();
  peer.send({
    type: "submit_job",
    request: number,
    submission_id: `honest-${process.pid}-${performance.timeOrigin}-${sentAtMs}`,
    resumable: false,
    spec: aSpec({ name: `honest ${number}`, work, worker_labels: { is: "honest" } }),
    count: TASK_COUNT,
    input: { lengths: 2, data: new TextEncoder().encode("\x010\x011\x012") },
    close: true,
  });
  const { job_id: jobId } = await peer.nextOf("job_accepted");
  const latencyMs = performance.now() - sentAtMs;
  const lines: string[] = [];
  for (let after = 0, isOver = false; !isOver; ) {
    peer.send({
      type: "read_results",
      request: number,
      job_id: jobId,
      order: "index",
      after,
      bytes_max: 65_536,
      wait: true,
      skip_holes: false,
    });
    const page = await peer.nextOf("results");
    lines.push(...linesOf(page));
    after = page.next_after;
    isOver = page.end;
  }
  const expected = Array.from({ length: TASK_COUNT }, (_, i) => `0 ${number} ${i}\n`);
  if (lines.join("") !== expected.join("")) {
    throw new Error(`honest job ${jobId} gave ${JSON.stringify(lines)}`);
  }
  return latencyMs;
}

function linesOf({ count, value, status }: MessageOf<"results">): readonly string[] {
  return Array.from({ length: count }, (_, row) => {
    const { stdout } = decodeCommandOutcome(valueAt(value, row));
    return `${typeof status === "number" ? status : status[row]} ${new TextDecoder().decode(stdout)}`;
  });
}
