/**
 * Which verb is done by which module. A verb exists when it stands here: help, completion and the
 * documents list these and no others. Modules load when their verb runs, so a new verb costs the others
 * nothing. To add one: `submit: command(SUBMIT_VERB, () => import("./submit.ts")),`.
 */
import type { CommandHandler } from "./command-context.ts";
import type { VerbTable } from "./option-table.ts";
import { FOREMAN_VERB, WORKER_VERB } from "./tables/daemons.ts";
import {
  EVENTS_VERB,
  JOBS_VERB,
  LOGS_VERB,
  RESULTS_VERB,
  TASKS_VERB,
  TOP_VERB,
  WAIT_VERB,
  WHY_VERB,
  WORKERS_VERB,
} from "./tables/look.ts";
import { SUBMIT_VERB, TRY_VERB } from "./tables/run.ts";
import {
  BENCH_VERB,
  COMPLETION_VERB,
  DOCTOR_VERB,
  INIT_VERB,
  VERSION_VERB,
} from "./tables/setup.ts";
import {
  CANCEL_VERB,
  DRAIN_VERB,
  GC_VERB,
  PAUSE_VERB,
  RESUME_VERB,
  RETRY_VERB,
  RM_VERB,
  SET_VERB,
  SHUTDOWN_VERB,
} from "./tables/steer.ts";

export interface Command {
  readonly table: VerbTable;
  readonly load: () => Promise<{ readonly run: CommandHandler }>;
}

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, Command>> = {
  foreman: command(FOREMAN_VERB, () => import("./foreman.ts")),
  worker: command(WORKER_VERB, () => import("./worker.ts")),
  submit: command(SUBMIT_VERB, () => import("./submit.ts")),
  try: command(TRY_VERB, () => import("./try.ts")),
  top: command(TOP_VERB, () => import("./top.ts")),
  jobs: command(JOBS_VERB, () => import("./jobs.ts")),
  tasks: command(TASKS_VERB, () => import("./tasks.ts")),
  workers: command(WORKERS_VERB, () => import("./workers.ts")),
  results: command(RESULTS_VERB, () => import("./results.ts")),
  logs: command(LOGS_VERB, () => import("./logs.ts")),
  events: command(EVENTS_VERB, () => import("./events.ts")),
  wait: command(WAIT_VERB, () => import("./wait.ts")),
  why: command(WHY_VERB, () => import("./why.ts")),
  cancel: command(CANCEL_VERB, () => import("./cancel.ts")),
  retry: command(RETRY_VERB, () => import("./retry.ts")),
  drain: command(DRAIN_VERB, () => import("./drain.ts")),
  pause: command(PAUSE_VERB, () => import("./pause.ts")),
  resume: command(RESUME_VERB, () => import("./resume.ts")),
  set: command(SET_VERB, () => import("./set.ts")),
  rm: command(RM_VERB, () => import("./rm.ts")),
  gc: command(GC_VERB, () => import("./gc.ts")),
  shutdown: command(SHUTDOWN_VERB, () => import("./shutdown.ts")),
  init: command(INIT_VERB, () => import("./init.ts")),
  doctor: command(DOCTOR_VERB, () => import("./doctor.ts")),
  bench: command(BENCH_VERB, () => import("./bench.ts")),
  completion: command(COMPLETION_VERB, () => import("./completion.ts")),
  version: command(VERSION_VERB, () => import("./version.ts")),
};

function command<Verb extends VerbTable>(
  table: Verb,
  load: () => Promise<{ readonly run: CommandHandler<Verb> }>,
): Command {
  // The runner builds each context from this very table, so the handler gets the values it is typed for.
  return { table, load: load as unknown as Command["load"] };
}

/** The command of a verb or of its synonym. */
export function findCommand(verb: string): Command | undefined {
  if (Object.hasOwn(COMMANDS, verb)) return COMMANDS[verb];
  return Object.values(COMMANDS).find(({ table }) => table.synonyms?.includes(verb));
}

export function allCommands(): readonly Command[] {
  return Object.values(COMMANDS);
}

/** Every word that stands for a verb. */
export function verbWords(): readonly string[] {
  return allCommands().flatMap(({ table }) => [table.verb, ...(table.synonyms ?? [])]);
}
