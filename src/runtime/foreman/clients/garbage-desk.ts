/**
 * `cc gc`: says what the rules of retention would forget now, with what it takes, and has it forgotten
 * where that is asked for. Which jobs those are the machine decides, now and again when they go.
 */
import type { Clock } from "../../platform/clock.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { GarbageJobView, GarbageView } from "../../protocol/views.ts";
import type { ReplyToken } from "../../scheduler/foreman/events.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import { type PlannedRemoval, planRetention } from "../../scheduler/foreman/jobs/retention.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import type { Store } from "../../store/store.ts";
import type { Channel } from "../../transport/channel.ts";
import type { UnstampedEvent } from "../pump.ts";
import { nextTurn } from "../reading/turns.ts";
import type { Janitor } from "../storage/janitor.ts";
import type { Outputs } from "../storage/outputs.ts";
import { toTime } from "../views/job-views.ts";

export interface GarbageDesk {
  collect(channel: Channel, message: MessageOf<"collect_garbage">): Promise<void>;
  /** Performs the effect `reply` of a collection. */
  onCollected(token: ReplyToken, jobIds: readonly JobId[]): void;
}

export interface GarbageDeskParts {
  readonly state: ForemanState;
  readonly store: Pick<Store, "readJobBytes" | "readBlobBytes">;
  readonly janitor: Pick<Janitor, "rested">;
  /** As they now are. */
  outputs(): Pick<Outputs, "bytesOf" | "removed">;
  /** What a job's log takes. */
  logBytesOf(jobId: JobId): number;
  readonly clock: Pick<Clock, "defer">;
  nowMs(): number;
  post(event: UnstampedEvent): void;
}

/** Forgotten in one commit of some ten milliseconds; whoever asks asks again while there are more. */
const COLLECTED_MAX = 1_000;
const PLANNED_MAX = 10_000;
/** Jobs measured before others have their turn. */
const JOBS_PER_TURN = 50;
const FREEING_PATIENCE_MS = 30_000;

export function createGarbageDesk(parts: GarbageDeskParts): GarbageDesk {
  const { state, store } = parts;
  const pending = new Map<ReplyToken, (jobIds: readonly JobId[]) => void>();
  /** Below zero, apart from the tokens of clients' requests. */
  let nextToken = -1;

  function forget(planned: readonly PlannedRemoval[]): Promise<readonly JobId[]> {
    const token = nextToken--;
    const { promise, resolve } = Promise.withResolvers<readonly JobId[]>();
    pending.set(token, resolve);
    const jobs = planned.map(({ facts, why }) => ({ jobId: facts.jobId, why }));
    parts.post({ type: "garbageCollected", token, jobs });
    return promise;
  }

  async function measureJobs(planned: readonly PlannedRemoval[]): Promise<GarbageJobView[]> {
    const views: GarbageJobView[] = [];
    for (const [at, removal] of planned.entries()) {
      if (at % JOBS_PER_TURN === JOBS_PER_TURN - 1) await nextTurn(parts.clock);
      const { jobId } = removal.facts;
      const bytes = (await store.readJobBytes(jobId)) + parts.outputs().bytesOf(jobId);
      views.push(viewOf(removal, bytes + parts.logBytesOf(jobId)));
    }
    return views;
  }

  async function measureBundles(planned: readonly PlannedRemoval[]) {
    const bundles: { sha256: string; bytes: number }[] = [];
    for (const sha256 of bundlesOnlyOf(state, planned)) {
      bundles.push({ sha256, bytes: (await store.readBlobBytes(sha256)) ?? 0 });
    }
    return bundles;
  }

  return {
    async collect(channel, { request, dry_run: isDry }) {
      const limit = isDry ? PLANNED_MAX : COLLECTED_MAX;
      const planned = planRetention(state, parts.nowMs(), limit + 1);
      const chosen = planned.slice(0, limit);
      let jobs = await measureJobs(chosen);
      const bundles = await measureBundles(chosen);
      let isFreeing = false;
      if (!isDry && chosen.length > 0) {
        const gone = new Set(await forget(chosen));
        jobs = jobs.filter(({ job_id }) => gone.has(job_id as JobId));
        const isLast = planned.length <= limit;
        await parts.outputs().removed();
        isFreeing = !(isLast && (await parts.janitor.rested(FREEING_PATIENCE_MS)));
      }
      const bytes = [...jobs, ...bundles].reduce((sum, each) => sum + each.bytes, 0);
      const body: GarbageView = {
        dry_run: isDry,
        jobs,
        bundles,
        bytes,
        more: planned.length > limit,
        freeing: isFreeing,
      };
      channel.send({ type: "garbage", request, body });
    },
    onCollected(token, jobIds) {
      pending.get(token)?.(jobIds);
      pending.delete(token);
    },
  };
}

function viewOf({ facts, why }: PlannedRemoval, bytes: number): GarbageJobView {
  return {
    job_id: facts.jobId,
    name: facts.spec.name,
    owner: facts.owner,
    state: facts.state,
    finished_at: toTime(facts.finishedAtMs ?? 0),
    tasks: facts.inputCount,
    bytes,
    why,
  };
}

const bundleOf = ({ spec }: Pick<JobFacts, "spec">): string | null =>
  spec.work.kind === "function" ? spec.work.bundle_sha256 : null;

/** Bundles that these jobs name and no other does. */
function bundlesOnlyOf(state: ForemanState, planned: readonly PlannedRemoval[]): Set<string> {
  const found = new Set<string>();
  const going = new Set<JobId>();
  for (const { facts } of planned) {
    going.add(facts.jobId);
    const bundle = bundleOf(facts);
    if (bundle !== null) found.add(bundle);
  }
  if (found.size === 0) return found;
  for (const job of [...state.jobs.values(), ...state.ended.values()]) {
    const bundle = bundleOf(job);
    if (bundle !== null && !going.has(job.jobId)) found.delete(bundle);
  }
  return found;
}
