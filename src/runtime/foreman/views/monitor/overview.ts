/**
 * The monitor's first screen: what the whole installation does. Sums are the machine's own counters or
 * walks over workers and unfinished jobs; lists cost what their windows show.
 */
import type { View } from "../../../protocol/messages/client.ts";
import type { OverviewView } from "../../../protocol/monitor-views.ts";
import type { ForemanView } from "../../../protocol/views.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import { ratePerSecond } from "../../../scheduler/foreman/rate.ts";
import { cutSeries, type SeriesSpan } from "../../../scheduler/foreman/series.ts";
import type { VitalsBook } from "../../workers/worker-vitals.ts";
import type { EventTail } from "./event-tail.ts";
import {
  depthOf,
  etaSeconds,
  failedPercent,
  sumMemory,
  sumRunTimes,
  sumSlots,
  sumTasks,
  whyNothingRuns,
} from "./foreman-sums.ts";
import { createGauge, type Gauge } from "./gauge.ts";
import type { JobList } from "./job-list.ts";
import { rateView, roundForScreen, roundOrNull, seriesView, wholeSecond } from "./series-views.ts";
import type { WorkerRows } from "./worker-rows.ts";

type OverviewRequest = Extract<View, { kind: "overview" }>;

export interface Overview {
  build(view: OverviewRequest): OverviewView;
  /** Notes how deep the queue is; at most once a second does anything. */
  sample(): void;
}

export interface OverviewParts {
  readonly state: ForemanState;
  readonly jobs: JobList;
  readonly workers: WorkerRows;
  readonly events: Pick<EventTail, "newest">;
  readonly vitals: Pick<VitalsBook, "of">;
  foreman(): ForemanView;
  nowMs(): number;
}

const RECENT_STEP_MS = 5_000;
const RECENT_STEPS = 12;
const TREND_SECONDS = 10;
/** An idle foreman looks at nothing for as long as that, and its queue stays as deep as it was. */
const DEPTH_HOLD_MS = 90_000;

export function createOverview(parts: OverviewParts): Overview {
  const { state } = parts;
  const depth = createGauge(
    [
      { stepMs: 1_000, stepCount: 120 },
      { stepMs: RECENT_STEP_MS, stepCount: 60 },
    ],
    DEPTH_HOLD_MS,
  );
  let sampledSecond = -1;

  function sample(): void {
    const nowMs = parts.nowMs();
    const second = Math.floor(nowMs / 1000);
    if (second === sampledSecond) return;
    sampledSecond = second;
    depth.look(nowMs, depthOf(sumTasks(state)));
  }

  function build(view: OverviewRequest): OverviewView {
    const nowMs = parts.nowMs();
    sample();
    const sums = sumTasks(state);
    const cut = cutSeries([state.totals.series], spanOf(view, nowMs));
    const rate = ratePerSecond(state.totals.rate, nowMs);
    return {
      at: wholeSecond(nowMs),
      foreman: withRoundRate(parts.foreman()),
      throughput: seriesView(cut, "settled"),
      failures: seriesView(cut, "failed"),
      rate: rateView(cut, rate),
      queue: {
        depth: depthOf(sums),
        delayed: sums.delayed,
        blocked: sums.blocked,
        running: sums.running,
        ...lately(depth, depthOf(sums), nowMs),
      },
      eta_seconds: etaSeconds(state.totals.series, sums, nowMs),
      failed_percent: failedPercent(cut),
      run: sumRunTimes(state),
      slots: sumSlots(state),
      memory: sumMemory(state, parts.vitals),
      job_states: parts.jobs.counts(),
      worker_states: parts.workers.counts(),
      jobs: parts.jobs.window(view.jobs),
      workers: parts.workers.window(view.workers),
      events: parts.events.newest(view.events),
      why: whyNothingRuns(state, sums),
    };
  }

  return { build, sample };
}

const spanOf = (
  { window_seconds, back_seconds }: Pick<OverviewRequest, "window_seconds" | "back_seconds">,
  nowMs: number,
): SeriesSpan => ({ nowMs, windowMs: window_seconds * 1000, backMs: back_seconds * 1000 });

const withRoundRate = (foreman: ForemanView): ForemanView => ({
  ...foreman,
  tasks_per_second: roundOrNull(foreman.tasks_per_second),
});

/** How the queue grew, and how deep it was over the last minute. */
function lately(
  depth: Gauge,
  now: number,
  nowMs: number,
): Pick<OverviewView["queue"], "trend" | "recent"> {
  const [before] = depth.recent(nowMs, 1_000, TREND_SECONDS);
  return {
    trend:
      before === null || before === undefined
        ? null
        : roundForScreen((now - before) / TREND_SECONDS),
    recent: depth
      .recent(nowMs, RECENT_STEP_MS, RECENT_STEPS)
      .map((value) => roundForScreen(value ?? 0)),
  };
}
