/** What a job is charged in advance for a task that it gets placed; settled by what it really took. */
import type { LiveJob } from "../state.ts";

/** While nothing is known of a job's tasks. */
const UNKNOWN_TASK_US = 50_000;

export const chargeUs = ({ pace, demand }: LiveJob): number =>
  (pace.meanUs ?? UNKNOWN_TASK_US) * demand.cpus;
