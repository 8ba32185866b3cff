/**
 * What a worker derives once from a job's specification, so that a task costs only its own part: the
 * environment, the compiled command, the executor's view of the job. Kept by job and version.
 */

import type { JobFrame } from "../executor/frames.ts";
import {
  type CommandTemplate,
  compileTemplate,
  compileText,
  hasPlaceholder,
  type TextTemplate,
} from "../protocol/command-template.ts";
import { asJobId, type WorkerId } from "../protocol/ids.ts";
import { type JobSpec, jobSpec } from "../protocol/job-spec.ts";
import type { MessageOf } from "../protocol/messages.ts";
import type { AgentJob } from "../scheduler/agent/events.ts";
import { type Environment, jobEnvironment } from "./host/task-environment.ts";

export interface JobPlan {
  readonly agentJob: AgentJob;
  readonly spec: JobSpec;
  readonly owner: string;
  /** One object a version, so that executors can tell whether they know it. */
  readonly frame: JobFrame;
  /** Without the variables of a task. */
  readonly environment: Environment;
  /** Null for functions. */
  readonly command: CommandPlan | null;
}

export interface CommandPlan {
  readonly fill: CommandTemplate;
  /** Variables whose values hold placeholders. */
  readonly variables: readonly (readonly [string, TextTemplate])[];
  readonly hasScratch: boolean;
}

export interface JobPlans {
  /** Reads the specification that came with an assignment, or finds the one known; else why not. */
  planOf(message: MessageOf<"assign_task">): JobPlan | "spec_missing" | "spec_unreadable";
  find(jobId: number, specVersion: number): JobPlan | null;
  /** Another foreman's jobs have the same numbers. */
  clear(): void;
}

/** A foreman remembers at most 2,000 jobs that it has told us of; ours must last longer. */
const PLANS_MAX = 4_096;

export function createJobPlans(context: {
  readonly workerId: WorkerId;
  readonly inherited: Environment;
}): JobPlans {
  const plans = new Map<string, JobPlan>();

  function find(jobId: number, specVersion: number): JobPlan | null {
    const key = `${jobId} ${specVersion}`;
    const plan = plans.get(key);
    if (plan === undefined) return null;
    // Most recently used last.
    plans.delete(key);
    plans.set(key, plan);
    return plan;
  }

  return {
    planOf(message) {
      const { job_id: jobId, spec_version: specVersion } = message;
      if (message.spec === undefined) return find(jobId, specVersion) ?? "spec_missing";
      const parsed = jobSpec.safeParse(message.spec);
      if (!parsed.success) return "spec_unreadable";
      const plan = createPlan(message, parsed.data, context);
      if (plan === null) return "spec_unreadable";
      plans.delete(`${jobId} ${specVersion}`);
      plans.set(`${jobId} ${specVersion}`, plan);
      for (const oldest of plans.keys()) {
        if (plans.size <= PLANS_MAX) break;
        plans.delete(oldest);
      }
      return plan;
    },
    find,
    clear: () => plans.clear(),
  };
}

function createPlan(
  message: MessageOf<"assign_task">,
  spec: JobSpec,
  context: { readonly workerId: WorkerId; readonly inherited: Environment },
): JobPlan | null {
  const { job_id: jobId, spec_version: specVersion, owner } = message;
  const { work } = spec;
  const env = Object.fromEntries(
    Object.entries(spec.env).map(([name, { value }]) => [name, value]),
  );
  const { workerId, inherited } = context;
  const command = work.kind === "command" ? planCommand(work, spec) : null;
  if (command === "unusable") return null;
  return {
    agentJob: {
      jobId: asJobId(jobId),
      specVersion,
      kind: work.kind,
      slotsPerTask: spec.cpus,
      bundleSha256: work.kind === "function" ? work.bundle_sha256 : null,
    },
    spec,
    owner,
    frame: { jobId, name: spec.name, queue: spec.queue, metadata: spec.metadata, seed: spec.seed },
    environment: jobEnvironment(inherited, { env, cpus: spec.cpus, workerId }),
    command,
  };
}

function planCommand(
  work: Extract<JobSpec["work"], { kind: "command" }>,
  spec: JobSpec,
): CommandPlan | "unusable" {
  const { placeholder, scratch } = work;
  const variables: [string, TextTemplate][] = [];
  for (const [name, { value }] of Object.entries(spec.env)) {
    if (name.startsWith("CC_") || !hasPlaceholder(value, placeholder)) continue;
    variables.push([name, compileText(value, placeholder, spec.input)]);
  }
  try {
    return { fill: compileTemplate(work, spec.input), variables, hasScratch: scratch };
  } catch {
    // The submitter has compiled the same template: only another version's foreman gets here.
    return "unusable";
  }
}
