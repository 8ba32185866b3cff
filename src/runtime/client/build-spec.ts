/**
 * From what a person said about a job to its complete specification: every default is filled in here,
 * so that what is stored says everything. It asks nobody and starts nothing.
 */
import { hostname } from "node:os";
import { basename, isAbsolute, resolve } from "node:path";
import { accountName } from "../platform/paths.ts";
import { compileTemplate, hasPlaceholder } from "../protocol/command-template.ts";
import { CcError, usageError } from "../protocol/error.ts";
import {
  type InputShape,
  type JobSpec,
  jobSpec,
  type MaxFails,
  type WorkSpec,
} from "../protocol/job-spec.ts";
import { JOB_SPEC_BYTES_MAX, NAME_BYTES_MAX } from "../protocol/limits.ts";

/** Options of a job as flags, job file and configuration settled them; durations in milliseconds. */
export interface JobOptions {
  readonly name?: string | undefined;
  readonly note?: string | undefined;
  readonly queue?: string | undefined;
  readonly role?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly priority?: number | undefined;
  readonly retries?: number | undefined;
  readonly backoff?: number | undefined;
  readonly timeout?: number | undefined;
  readonly maxCrashes?: number | undefined;
  readonly maxFails?: MaxFails | undefined;
  readonly maxRunning?: number | undefined;
  readonly delay?: number | undefined;
  readonly timeRequest?: number | undefined;
  readonly cpus?: number | undefined;
  readonly mem?: number | undefined;
  readonly resource?: Readonly<Record<string, number>> | undefined;
  readonly workerLabel?: Readonly<Record<string, string>> | undefined;
  /** null: its value now, which is a secret. */
  readonly env?: Readonly<Record<string, string | null>> | undefined;
  readonly cwd?: string | undefined;
  readonly scratch?: boolean | undefined;
  readonly shell?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly chunk?: number | undefined;
}

export interface SpecRequest {
  readonly options: JobOptions;
  readonly work: WorkSpec;
  readonly shape: InputShape;
  /** The name of a job that was given none. */
  readonly defaultName: string;
  readonly after: readonly number[];
  readonly attached: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The words after the program's name. */
  readonly words: readonly string[];
}

/** @throws CcError with exit 2 that names the option. */
export function buildSpec(request: SpecRequest): JobSpec {
  const { options, work, shape } = request;
  if (work.kind === "command") compileTemplate(work, shape);
  const spec: JobSpec = {
    name: options.name ?? shortened(request.defaultName),
    note: options.note ?? null,
    queue: options.queue ?? "default",
    role: options.role ?? null,
    metadata: { ...options.metadata },
    priority: options.priority ?? 0,
    work,
    input: shape,
    retries: options.retries ?? 0,
    backoff_seconds: secondsOf(options.backoff) ?? 1,
    timeout_seconds: secondsOf(options.timeout) ?? null,
    max_crashes: options.maxCrashes ?? 3,
    max_fails: options.maxFails ?? { kind: "default" },
    max_running: options.maxRunning ?? null,
    delay_seconds: secondsOf(options.delay) ?? 0,
    after: [...request.after],
    time_request_seconds: secondsOf(options.timeRequest) ?? null,
    cpus: options.cpus ?? 1,
    memory_bytes: options.mem ?? null,
    resources: { ...options.resource },
    worker_labels: { ...options.workerLabel },
    env: environmentOf(options.env ?? {}, request.env),
    seed: options.seed ?? 0,
    attached: request.attached,
    submitted_from: {
      host: hostname(),
      user: accountName(request.env),
      folder: request.cwd,
      command_line: commandLine(request.words),
    },
  };
  return checkSpec(spec);
}

export interface CommandRequest {
  readonly words: readonly string[];
  readonly options: Pick<JobOptions, "cwd" | "scratch" | "shell">;
  readonly placeholder: string | undefined;
  readonly stdin: boolean;
  readonly cwd: string;
}

/** @throws CcError with exit 2 for an empty command. */
export function commandWork(request: CommandRequest): Extract<WorkSpec, { kind: "command" }> {
  const { words, options, cwd } = request;
  if (words.length === 0 || words[0] === "") {
    throw usageError(
      "no_command",
      'There is no command behind "--".',
      "Write cc submit -- CMD ARG…",
    );
  }
  if (request.placeholder === "") {
    throw usageError("bad_placeholder", "-I: another name for {} cannot be empty.");
  }
  const placeholder = request.placeholder ?? null;
  return {
    kind: "command",
    argv: [...words],
    shell: options.shell ?? false,
    placeholder,
    stdin: request.stdin,
    scratch: options.scratch ?? false,
    ...folderOf(options.cwd, cwd, placeholder),
  };
}

/** Where a placeholder stands, only its value tells whether the path is absolute. */
function folderOf(
  given: string | undefined,
  cwd: string,
  placeholder: string | null,
): { readonly cwd: string; readonly folder?: string } {
  if (given === undefined) return { cwd };
  if (!hasPlaceholder(given, placeholder)) return { cwd: resolve(cwd, given) };
  return isAbsolute(given) ? { cwd: given } : { cwd: given, folder: cwd };
}

/** `render.sh` of a command, `job` of `dir/job.ts`. */
export function defaultNameOf(work: WorkSpec): string {
  if (work.kind === "function") return basename(work.entry_file).replace(/\.[cm]?[jt]sx?$/, "");
  const word = work.shell ? (work.argv.join(" ").trim().split(/\s+/)[0] ?? "") : work.argv[0];
  return basename(word ?? "") || "command";
}

const secondsOf = (durationMs: number | undefined): number | undefined =>
  durationMs === undefined ? undefined : durationMs / 1000;

function environmentOf(
  given: Readonly<Record<string, string | null>>,
  env: Readonly<Record<string, string | undefined>>,
): JobSpec["env"] {
  const entries: JobSpec["env"] = {};
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("CC_")) {
      throw usageError(
        "reserved_variable",
        `--env ${name}: variables that begin with CC_ are set for each task by CrowdCompute itself.`,
        "Choose another name.",
      );
    }
    const now = value ?? env[name];
    if (now === undefined) {
      throw usageError(
        "no_such_variable",
        `--env ${name}: there is no variable ${name} in this environment.`,
        `Write --env ${name}=VALUE, or set it first.`,
      );
    }
    if (now.includes("\0")) throw usageError("bad_variable", `--env ${name}: it holds a NUL.`);
    entries[name] = { value: now, secret: value === null };
  }
  return entries;
}

/** As it could be typed again; long ones end with a sign that something is missing. */
export function commandLine(words: readonly string[]): string {
  const line = ["cc", ...words].map(quoteWord).join(" ");
  return line.length <= COMMAND_LINE_CHARACTERS_MAX
    ? line
    : `${line.slice(0, COMMAND_LINE_CHARACTERS_MAX)}…`;
}

/** `cc submit -- ls *` in a large folder would be most of the specification. */
const COMMAND_LINE_CHARACTERS_MAX = 4_000;

export function quoteWord(word: string): string {
  if (/^[\w./:@%+,={}-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function shortened(name: string): string {
  let text = name;
  while (Buffer.byteLength(text) > NAME_BYTES_MAX) text = text.slice(0, -1);
  return text;
}

/** Names in the specification that are written otherwise as options. */
const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
  memory_bytes: "mem",
  resources: "resource",
  worker_labels: "worker-label",
  timeout_seconds: "timeout",
  backoff_seconds: "backoff",
  delay_seconds: "delay",
  time_request_seconds: "time-request",
};

function checkSpec(spec: JobSpec): JobSpec {
  const parsed = jobSpec.safeParse(spec);
  if (!parsed.success) throw wrongField(spec, parsed.error.issues[0]?.path.map(String) ?? []);
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes <= JOB_SPEC_BYTES_MAX) return spec;
  throw usageError(
    "spec_too_large",
    `The job's options and command take ${bytes} bytes, at most ${JOB_SPEC_BYTES_MAX} are kept.`,
    "Give long lists as inputs, for example with --each-line or after :::.",
  );
}

function wrongField(spec: JobSpec, path: readonly string[]): CcError {
  const [field = ""] = path;
  const option = `--${OPTION_OF_FIELD[field] ?? field.replaceAll("_", "-")}`;
  if (field === "queue") {
    return usageError(
      "bad_queue",
      `--queue: "${spec.queue}" is no queue's name.`,
      "Names are words of letters, digits, - and _, joined by dots: math.add",
    );
  }
  const name = path[1] === undefined ? "" : ` ${path[1]}`;
  return new CcError({
    code: "bad_option",
    message: `${option}${name}: the value is empty, too long or out of range.`,
    hint: "cc submit --help",
    exitCode: 2,
  });
}
