/** Everything a worker is told at its start; `cc worker` makes it of flags and of what the machine has. */
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Chance } from "../platform/random.ts";
import type { WorkerId } from "../protocol/ids.ts";
import type { WorkerOffer } from "../protocol/job-spec.ts";
import type { ForemanLinkOptions } from "./foreman-link.ts";
import type { HostProbe } from "./host/host-probe.ts";
import type { Spool } from "./spool/spool.ts";

export interface WorkerOptions {
  readonly workerId: WorkerId;
  readonly offer: WorkerOffer;
  readonly dial: ForemanLinkOptions["dial"];
  /** As a person wrote it, for the log. */
  readonly foreman: string;
  readonly reconnectAttemptsMax: number | null;
  readonly cpuPercentMax: number;
  readonly memoryPercentMax: number;
  /** For tasks without a time-out of their own; null: none. */
  readonly taskTimeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
  readonly timeLimitMs: number | null;
  /** Where results of long attempts outlive this process; null: nowhere. */
  readonly spool: Spool | null;
  /** How long an attempt must run for that. */
  readonly spoolAfterMs: number;
  readonly cacheFolder: string;
  readonly cacheBytesMax: number;
  /** Of tasks; null: ours. */
  readonly niceness: number | null;
  /** Our own, from which tasks get a little. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly probe: HostProbe;
  readonly programs: WorkerPrograms;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
}

/** How the processes beside us are started. */
export interface WorkerPrograms {
  readonly executor: readonly string[];
  readonly watchdog: readonly string[];
}
