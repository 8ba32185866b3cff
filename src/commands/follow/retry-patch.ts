/** What `cc retry` changes of a job: options given anew, and corrected code for the tasks from now on. */
import type { JobBundle } from "../../runtime/bundle/bundle-job.ts";
import { commandWork } from "../../runtime/client/build-spec.ts";
import { compileTemplate } from "../../runtime/protocol/command-template.ts";
import { usageError } from "../../runtime/protocol/error.ts";
import type { JobPatch, WorkSpec } from "../../runtime/protocol/job-spec.ts";
import type { JobDetailView } from "../../runtime/protocol/views.ts";
import type { CommandContext } from "../command-context.ts";
import type { RETRY_VERB } from "../tables/steer.ts";

type RetryContext = Pick<CommandContext<typeof RETRY_VERB>, "values" | "rest" | "cwd">;

/** @throws CcError with exit 2 for a command's flags on a function. */
export function retryPatch(
  context: RetryContext,
  job: JobDetailView,
  bundle: JobBundle | null,
): JobPatch {
  const { values } = context;
  const work = workOf(context, job.spec.work, bundle);
  // What no task could be given is refused here, not by every task.
  if (work?.kind === "command") compileTemplate(work, job.spec.input);
  const seconds = (durationMs: number | undefined): number | undefined =>
    durationMs === undefined ? undefined : durationMs / 1000;
  const patch = {
    name: values.name,
    note: values.note,
    priority: values.priority,
    max_running: values.maxRunning,
    timeout_seconds: seconds(values.timeout),
    retries: values.retries,
    backoff_seconds: seconds(values.backoff),
    max_fails: values.maxFails,
    max_crashes: values.maxCrashes,
    work: work ?? undefined,
  };
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}

/** null: as it was. */
function workOf(
  { values, rest, cwd }: RetryContext,
  work: WorkSpec,
  bundle: JobBundle | null,
): WorkSpec | null {
  if (bundle) {
    return { kind: "function", bundle_sha256: bundle.sha256, entry_file: bundle.entryFile };
  }
  const old = work.kind === "command" ? work : null;
  const isChanged = [values.cwd, values.scratch, values.shell].some((value) => value !== undefined);
  if (rest === null && !isChanged) return null;
  if (rest === null && old === null) {
    throw usageError(
      "command_option",
      "--cwd, --scratch and --shell are for commands, and the job runs a function.",
    );
  }
  const made = commandWork({
    words: rest ?? old?.argv ?? [],
    options: {
      cwd: values.cwd,
      scratch: values.scratch ?? old?.scratch,
      shell: values.shell ?? old?.shell,
    },
    placeholder: old?.placeholder ?? undefined,
    stdin: old?.stdin ?? false,
    cwd,
  });
  if (values.cwd !== undefined || old === null) return made;
  const { folder: _, ...rerun } = made;
  return { ...rerun, cwd: old.cwd, ...(old.folder === undefined ? {} : { folder: old.folder }) };
}
