/** What a worker holds for as long as it lives and gives back at its end: folders, the watchdog, code. */

import { createBundleCache } from "./code/bundle-cache.ts";
import { type Bundles, createBundles } from "./code/bundles.ts";
import { openScratchSpace, type ScratchSpace } from "./host/scratch.ts";
import { inheritEnvironment } from "./host/task-environment.ts";
import { createJobPlans, type JobPlans } from "./job-plans.ts";
import { createWorkerLogs, type WorkerLogs } from "./logs/worker-logs.ts";
import { createOutputUploads, type OutputUploads } from "./outputs/output-uploads.ts";
import { createAttemptTokens } from "./processes/attempt-token.ts";
import { createOutOfMemoryWatch } from "./processes/out-of-memory.ts";
import type { ProcessHost } from "./processes/process-host.ts";
import { startWatchdog } from "./processes/watchdog-link.ts";
import type { WorkerOptions } from "./worker-options.ts";

export interface WorkerParts {
  readonly host: ProcessHost;
  readonly scratch: ScratchSpace;
  readonly bundles: Bundles;
  readonly plans: JobPlans;
  readonly logs: WorkerLogs;
  readonly outputs: OutputUploads;
  /** After everything that was started has ended: the watchdog would end it roughly. */
  close(): Promise<void>;
}

/** @throws CcError `worker_storage` when there is no room for what tasks need. */
export function openWorkerParts(options: WorkerOptions): WorkerParts {
  const { workerId, cacheFolder, cacheBytesMax, clock, programs } = options;
  const scratch = openScratchSpace(cacheFolder);
  const tokens = createAttemptTokens();
  const watchdog = startWatchdog({ command: programs.watchdog, tokens });
  const inherited = inheritEnvironment(options.environment);
  return {
    host: { tokens, watchdog, outOfMemory: createOutOfMemoryWatch() },
    scratch,
    bundles: createBundles(createBundleCache({ cacheFolder, bytesMax: cacheBytesMax, clock })),
    plans: createJobPlans({ workerId, inherited }),
    logs: createWorkerLogs(clock),
    outputs: createOutputUploads(clock),
    async close() {
      await watchdog.close();
      // What cannot be removed now, the next worker on this machine removes.
      await scratch.close().catch(() => {});
    },
  };
}
