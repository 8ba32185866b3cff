/** The columns of jobs: how far each is, how fast, and what went wrong. */
import type { JobRowView } from "../../../runtime/protocol/monitor-views.ts";
import { fitName, inert } from "../../text/cells.ts";
import {
  shortCount,
  shortEstimate,
  shortRate,
  shortSeconds,
  UNKNOWN,
  wholePercent,
} from "../../text/fixed.ts";
import { jobLook } from "../../theme/states.ts";
import type { Style } from "../../theme/theme.ts";
import { bar } from "../../widgets/bar.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";
import type { Column } from "../../widgets/table-columns.ts";

const settled = ({ tasks }: JobRowView) => tasks.completed + tasks.failed + tasks.cancelled;

/** Of what is known so far: an open job may still get more tasks. */
function progressShare(job: JobRowView): number {
  return job.tasks.total === 0 ? 0 : settled(job) / job.tasks.total;
}

const count = (amount: number, style: Style = "plain"): Span =>
  span(amount === 0 ? "dim" : style, shortCount(amount));

const known = (text: string): Span => (text === UNKNOWN ? span("dim", text) : plain(text));

export const JOB_COLUMNS: readonly Column<JobRowView>[] = [
  {
    key: "id",
    title: "ID",
    width: 4,
    priority: 0,
    align: "right",
    isPinned: true,
    draw: ({ job_id }) => plain(String(job_id)),
  },
  {
    key: "name",
    title: "NAME",
    width: 10,
    ideal: 15,
    priority: 0,
    grow: 4,
    widthMax: 40,
    isPinned: true,
    draw: ({ name }, width, { ascii }) => plain(fitName(inert(name, { ascii }), width)),
  },
  {
    key: "owner",
    title: "OWNER",
    width: 8,
    priority: 9,
    grow: 1,
    widthMax: 14,
    draw: ({ owner }, width, { ascii }) => plain(fitName(inert(owner, { ascii }), width)),
  },
  {
    key: "queue",
    title: "QUEUE",
    width: 8,
    priority: 11,
    grow: 1,
    widthMax: 14,
    draw: ({ queue }, width, { ascii }) => plain(fitName(inert(queue, { ascii }), width)),
  },
  {
    key: "state",
    title: "ST",
    width: 2,
    priority: 0,
    draw: (job) => span(jobLook(job).style, jobLook(job).letter),
  },
  {
    key: "priority",
    title: "PRI",
    width: 4,
    priority: 10,
    align: "right",
    draw: ({ priority }) => span(priority === 0 ? "dim" : "plain", String(priority)),
  },
  {
    key: "bar",
    title: "PROGRESS",
    width: 8,
    ideal: 16,
    priority: 2,
    grow: 5,
    widthMax: 32,
    draw: (job, width, theme) => bar(progressShare(job), width, jobLook(job).style, theme),
  },
  {
    key: "progress",
    title: "%",
    width: 4,
    priority: 1,
    align: "right",
    draw: (job) => plain(job.tasks.total === 0 ? UNKNOWN : wholePercent(settledPercent(job))),
  },
  {
    key: "done",
    title: "DONE/TOTAL",
    width: 11,
    priority: 3,
    align: "right",
    draw: (job) =>
      plain(
        `${shortCount(settled(job))}/${shortCount(job.tasks.total)}${job.inputs_open ? "+" : ""}`,
      ),
  },
  {
    key: "queued",
    title: "QUEUED",
    width: 6,
    priority: 8,
    align: "right",
    draw: ({ tasks }) => count(tasks.queued + tasks.blocked + tasks.delayed, "queued"),
  },
  {
    key: "running",
    title: "RUN",
    width: 5,
    priority: 4,
    align: "right",
    draw: ({ tasks }) => count(tasks.running, "running"),
  },
  {
    key: "failed",
    title: "FAIL",
    width: 5,
    priority: 1,
    align: "right",
    draw: ({ tasks }) => count(tasks.failed, "failed"),
  },
  {
    key: "retries",
    title: "RETRY",
    width: 5,
    priority: 9,
    align: "right",
    draw: ({ retries }) => (retries === null ? span("dim", UNKNOWN) : count(retries, "delayed")),
  },
  {
    key: "rate",
    title: "TASK/S",
    width: 6,
    priority: 5,
    align: "right",
    draw: ({ tasks_per_second }) => known(shortRate(tasks_per_second)),
  },
  {
    key: "recent",
    title: "LAST 60s",
    width: 12,
    priority: 10,
    draw: ({ recent }, width, theme) => sparkline(recent, width, theme),
  },
  {
    key: "eta",
    title: "ETA",
    width: 6,
    priority: 4,
    align: "right",
    draw: ({ eta_seconds }) => known(shortEstimate(eta_seconds)),
  },
  {
    key: "elapsed",
    title: "ELAPSED",
    width: 7,
    priority: 10,
    align: "right",
    draw: ({ elapsed_seconds }) => known(shortSeconds(elapsed_seconds)),
  },
];

/** 100 only when nothing is left. */
const settledPercent = (job: JobRowView): number => Math.floor(progressShare(job) * 100);
