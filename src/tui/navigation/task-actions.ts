/**
 * Questions about single tasks: what would be done, or the reason why it cannot be. Nothing here does
 * anything; only the answer `y` turns a question into an effect.
 */
import { isTaskSettled, type TaskState } from "../../runtime/protocol/views.ts";
import type { ActionRequest } from "../feed.ts";
import { formatPlural } from "../text/amounts.ts";
import { refuse } from "./change.ts";
import type { NavContext, NavStep } from "./nav-types.ts";
import { ask, capital, TASKS_WITHOUT_TYPING_MAX } from "./question.ts";
import { stateOfTask, type TaskTarget, taskText } from "./targets.ts";
import type { ViewState } from "./view-state.ts";

/** What one request may name. */
const TASK_BATCH_MAX = 16_384;

/** `kill`: the tasks end as cancelled. */
export function killTasks(
  state: ViewState,
  context: NavContext,
  tasks: readonly TaskTarget[],
): NavStep {
  return askForTasks(state, context, tasks, {
    verb: "kill",
    kind: "cancel_tasks",
    isPossible: (taskState) => !isTaskSettled(taskState),
    consequence: "stops, is cancelled and not tried again",
    consequenceOfMany: "stop, are cancelled and not tried again",
  });
}

export function retryTasks(
  state: ViewState,
  context: NavContext,
  tasks: readonly TaskTarget[],
): NavStep {
  return askForTasks(state, context, tasks, {
    verb: "retry",
    kind: "retry_tasks",
    isPossible: (taskState) => taskState === "failed" || taskState === "cancelled",
    consequence: "is queued again, its failures counted from 0",
    consequenceOfMany: "are queued again, their failures counted from 0",
  });
}

interface TaskAction {
  readonly verb: "kill" | "retry";
  readonly kind: "cancel_tasks" | "retry_tasks";
  readonly isPossible: (state: TaskState) => boolean;
  readonly consequence: string;
  readonly consequenceOfMany: string;
}

function askForTasks(
  state: ViewState,
  context: NavContext,
  tasks: readonly TaskTarget[],
  action: TaskAction,
): NavStep {
  const [first] = tasks;
  const { verb, consequence, consequenceOfMany } = action;
  if (first === undefined) {
    return refuse(state, `no task is selected: nothing to ${verb}`, context.nowMs);
  }
  const wanted = tasks.filter((task) => {
    const taskState = stateOfTask(task, context);
    return taskState === null || action.isPossible(taskState);
  });
  if (wanted.length === 0) {
    const text =
      tasks.length > 1
        ? `none of the ${tasks.length} marked tasks can be: nothing to ${verb}`
        : `task ${taskText(first)} is ${stateOfTask(first, context)}: nothing to ${verb}`;
    return refuse(state, text, context.nowMs);
  }
  const [only] = wanted;
  const question =
    wanted.length === 1 && only !== undefined
      ? `${capital(verb)} task ${taskText(only)}? It ${consequence}.`
      : `${capital(verb)} ${formatPlural(wanted.length, "task")}? They ${consequenceOfMany}.`;
  return ask(state, {
    requests: taskRequests(action.kind, wanted),
    question,
    mustType: wanted.length > TASKS_WITHOUT_TYPING_MAX ? "all" : null,
  });
}

/** One request a job. */
function taskRequests(
  kind: "cancel_tasks" | "retry_tasks",
  tasks: readonly TaskTarget[],
): readonly ActionRequest[] {
  const byJob = new Map<number, number[]>();
  for (const { jobId, index } of tasks.slice(0, TASK_BATCH_MAX)) {
    byJob.set(jobId, [...(byJob.get(jobId) ?? []), index]);
  }
  return [...byJob].map(([jobId, indexes]) => ({ kind, jobId, indexes }));
}
