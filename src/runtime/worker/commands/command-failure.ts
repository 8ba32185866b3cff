/**
 * Words for what went wrong with a command: why it did not start, and why how it ended is a failure.
 * Pure but for looking whether the folder and the executable exist.
 */
import { statSync } from "node:fs";
import { CcError } from "../../protocol/error.ts";
import type { Failure } from "../../protocol/failure.ts";

/** The task's fault (`failure`), or this machine's: then the task may be tried elsewhere (`error`). */
export type StartFault = { readonly failure: Failure } | { readonly error: CcError };

export interface CommandLocation {
  readonly argv: readonly string[];
  readonly cwd: string;
}

export function describeStartFault(thrown: unknown, command: CommandLocation): StartFault {
  const { code, message } = thrown as NodeJS.ErrnoException;
  const name = command.argv[0] ?? "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { failure: describeMissing(name, command.cwd) };
    case "EACCES":
    case "EPERM":
      return { failure: describeForbidden(name, command.cwd) };
    case "E2BIG":
      return {
        failure: {
          code: "input_too_large",
          message:
            "The arguments and the environment are larger than the system takes (128 KiB each); use --stdin or CC_INPUT_FILE.",
          permanent: true,
        },
      };
    case "ERR_INVALID_ARG_VALUE":
      return {
        failure: {
          code: "error",
          message: "An argument or a variable holds a NUL byte, which no command can be given.",
          permanent: true,
        },
      };
    default:
      return {
        error: new CcError({
          code: "spawn_failed",
          message: `This machine could not start "${name}": ${message}.`,
          hint: "Look at the limits of processes and open files (ulimit -u, ulimit -n) and at free memory.",
          retryable: true,
          cause: thrown,
        }),
      };
  }
}

/** Its last non-empty line of stderr says more than any sentence of ours. */
export function describeExit(exitCode: number, stderr: Uint8Array): Failure {
  const line = lastLine(stderr);
  return { code: "exit_status", message: line ?? `The command ended with status ${exitCode}.` };
}

export function describeSignal(signal: string, stderr: Uint8Array): Failure {
  const line = lastLine(stderr);
  const sentence = `The command was ended by ${signal}`;
  return { code: "signal", message: line === null ? `${sentence}.` : `${sentence}: ${line}` };
}

function describeMissing(name: string, cwd: string): Failure {
  if (!isFolder(cwd)) {
    return {
      code: "no_such_cwd",
      message: `The folder ${cwd} does not exist on this worker; use --scratch, or --cwd with a folder that every worker has.`,
    };
  }
  if (name.includes("/") && exists(name, cwd)) {
    return {
      code: "command_not_found",
      message: `"${name}" exists, but the interpreter in its first line does not.`,
    };
  }
  return { code: "command_not_found", message: `There is no executable "${name}" on this worker.` };
}

function describeForbidden(name: string, cwd: string): Failure {
  if (!isFolder(cwd)) {
    return { code: "no_such_cwd", message: `The folder ${cwd} may not be entered by this worker.` };
  }
  return { code: "command_not_found", message: `"${name}" is not an executable file.` };
}

const LINE_BYTES_MAX = 1024;

function lastLine(stderr: Uint8Array): string | null {
  const text = new TextDecoder().decode(stderr).trimEnd();
  const line = text.slice(text.lastIndexOf("\n") + 1).trim();
  return line === "" ? null : line.slice(0, LINE_BYTES_MAX);
}

function exists(name: string, cwd: string): boolean {
  try {
    statSync(name.startsWith("/") ? name : `${cwd}/${name}`);
    return true;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
