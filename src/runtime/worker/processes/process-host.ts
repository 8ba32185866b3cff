/** What all processes that a worker starts share. */
import type { AttemptTokens } from "./attempt-token.ts";
import type { OutOfMemoryWatch } from "./out-of-memory.ts";
import type { WatchdogLink } from "./watchdog-link.ts";

export interface ProcessHost {
  readonly tokens: AttemptTokens;
  readonly outOfMemory: OutOfMemoryWatch;
  /** Told of processes that are not short-lived, so that they die with the worker. */
  readonly watchdog: Pick<WatchdogLink, "add" | "remove">;
}
