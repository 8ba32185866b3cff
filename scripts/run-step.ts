/** Runs one child process of a script: with its output passed through or kept, and ended after its time. */

export interface StepOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Keeps stdout and stderr for the caller instead of printing them. */
  readonly quiet?: boolean;
}

export interface StepResult {
  readonly exitCode: number;
  /** Empty unless `quiet`. */
  readonly output: string;
}

export async function runStep(
  command: readonly string[],
  options: StepOptions,
): Promise<StepResult> {
  const mode = options.quiet ? "pipe" : "inherit";
  const child = Bun.spawn([...command], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdin: "ignore",
    stdout: mode,
    stderr: mode,
    timeout: options.timeoutMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    readAll(child.stdout),
    readAll(child.stderr),
    child.exited,
  ]);
  const ending =
    child.signalCode === null ? "" : `${command[0]} was ended by ${child.signalCode}.\n`;
  return { exitCode, output: stdout + stderr + ending };
}

/** Where the output is passed through there is no stream. */
async function readAll(stream: ReadableStream<Uint8Array> | undefined): Promise<string> {
  return stream === undefined ? "" : await new Response(stream).text();
}
