/**
 * What the following verbs begin with: a foreman, found or started, and the progress that is shown while
 * its jobs are followed. Options become plain values here; what happens with them is the verbs' matter.
 */
import { type OpenedForeman, openForeman } from "../../runtime/client/open-foreman.ts";
import type { OutputFormat, OutputOptions } from "../../runtime/client/output/result-writer.ts";
import { systemClock } from "../../runtime/platform/clock.ts";
import { findPaths } from "../../runtime/platform/paths.ts";
import { chance } from "../../runtime/platform/random.ts";
import {
  type CommandContext,
  type CommandIo,
  OutputClosed,
  type OutputStream,
} from "../command-context.ts";
import { createProgress, type Progress, progressMode } from "./progress.ts";

/** What every following verb's context has. */
export type FollowingContext = Pick<
  CommandContext,
  "io" | "env" | "cwd" | "json" | "quiet" | "color"
> & {
  readonly origins: { readonly foreman?: { readonly kind: string } };
  readonly values: {
    readonly foreman?: string | undefined;
    readonly keyFile?: string | undefined;
    readonly local?: number | true | undefined;
    readonly progress?: "auto" | "bar" | "json" | "none" | undefined;
  };
};

export interface Session extends OpenedForeman {
  readonly progress: Progress;
}

export interface SessionOptions {
  readonly detach: boolean;
  /** What Ctrl-C does, shown behind the bar. */
  readonly hint: string;
  /** The same where the foreman ends with this command. */
  readonly localHint: string;
}

/** For commands whose job goes on without them. */
export const DETACHED_BY_CTRL_C = {
  hint: "Ctrl-C detaches, the job goes on",
  localHint: "Ctrl-C stops it, cc wait goes on",
} as const;

/** For `--attached`. */
export const CANCELLED_BY_CTRL_C = {
  hint: "Ctrl-C cancels the job",
  localHint: "Ctrl-C cancels the job",
} as const;

export async function openSession(
  context: FollowingContext,
  options: SessionOptions,
): Promise<Session> {
  const { io, env, cwd, quiet, values } = context;
  const mode = progressMode(values.progress ?? "auto", {
    quiet,
    stderr: io.stderr,
    term: env["TERM"],
  });
  const progress = createProgress({
    io,
    mode,
    quiet,
    isAscii: !isUtf8Terminal(env),
    clock: systemClock,
    hint: options.hint,
    localHint: options.localHint,
  });
  const opened = await openForeman({
    foreman: values.foreman,
    keyFile: values.keyFile,
    cwd,
    env,
    paths: findPaths(env),
    clock: systemClock,
    chance,
    local: values.local,
    isForemanTyped: context.origins.foreman?.kind === "flag",
    detach: options.detach,
    say: (line) => void progress.say(line).catch(() => {}),
    onChange: progress.onConnection,
  });
  if (opened.isLocal) progress.runsHere();
  return { ...opened, progress };
}

/**
 * The same context with a stderr that swallows what nobody reads any more: with its reader gone, results
 * still go out and the job is still judged.
 */
export function withPatientStderr<Context extends { readonly io: CommandIo }>(
  context: Context,
): Context {
  const { stderr } = context.io;
  const patient: OutputStream = {
    isTerminal: stderr.isTerminal,
    get columnCount() {
      return stderr.columnCount;
    },
    closed: stderr.closed,
    write: (chunk) =>
      stderr.write(chunk).catch((thrown: unknown) => {
        if (!(thrown instanceof OutputClosed)) throw thrown;
      }),
  };
  return { ...context, io: { ...context.io, stderr: patient } };
}

function isUtf8Terminal(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale);
}

export interface OutputValues {
  readonly format?: OutputFormat | undefined;
  readonly output?: string | undefined;
  readonly tag: boolean;
  readonly placeholder?: string | undefined;
}

export function outputOptionsOf(
  values: OutputValues,
  context: Pick<CommandContext, "json" | "cwd">,
): OutputOptions {
  return {
    format: values.format ?? (context.json ? "jsonl" : "value"),
    output: values.output ?? "-",
    tag: values.tag,
    placeholder: values.placeholder ?? null,
    cwd: context.cwd,
  };
}
