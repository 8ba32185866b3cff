/**
 * Why a dial failed, told apart so that a person knows what to do: nobody there, somebody else there,
 * or a foreman that says no. Only what may pass by itself is retryable.
 */
import { CcError, type ExitCode } from "../protocol/error.ts";

const NOT_REACHED: ExitCode = 3;
/** Longer answers are not a foreman's. */
const SENTENCE_CHARACTERS_MAX = 500;
/** As ENETDOWN or EADDRNOTAVAIL; not ERR_…, which the runtimes call their own complaints. */
const SYSTEM_ERROR = /^E(?!RR_)[A-Z0-9]+$/;

export function unreachable(target: string, detail: string, cause?: unknown): CcError {
  return new CcError({
    code: "foreman_unreachable",
    message: `No foreman answers at ${target}: ${detail}.`,
    hint: "Start one with `cc foreman`, or name it with --foreman URL.",
    retryable: true,
    exitCode: NOT_REACHED,
    cause,
  });
}

export function notAForeman(target: string, detail: string): CcError {
  return new CcError({
    code: "not_a_foreman",
    message: `What listens at ${target} is not a CrowdCompute foreman: ${detail}.`,
    hint: "Name the foreman with --foreman URL, or run without one: cc submit --local.",
    exitCode: NOT_REACHED,
  });
}

/** A foreman refused the connection in HTTP, before the handshake. */
export function refusedByForeman(refusal: {
  readonly code: string;
  readonly sentence: string;
}): CcError {
  // The others do not pass by themselves.
  const isFull = refusal.code === "too_many_connections";
  return new CcError({
    code: isFull || refusal.code === "version_mismatch" ? refusal.code : "refused",
    message: `The foreman refused the connection: ${refusal.sentence.trim().slice(0, SENTENCE_CHARACTERS_MAX)}`,
    retryable: isFull,
    exitCode: NOT_REACHED,
  });
}

/** A system's or a WebSocket's complaint about the connection itself. */
export function faultOfConnection(target: string, fault: Error): CcError {
  const code = "code" in fault ? String(fault.code) : "";
  switch (code) {
    case "ECONNREFUSED":
      return unreachable(target, "nothing listens there", fault);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return unreachable(target, "the name is not known", fault);
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return unreachable(target, "there is no route to it", fault);
    case "ETIMEDOUT":
      return unreachable(target, "it does not answer", fault);
    case "ECONNRESET":
    case "EPIPE":
      return unreachable(target, "it broke the connection off", fault);
    default:
      if (/hang up|closed before|ended/i.test(fault.message)) {
        return unreachable(target, "it broke the connection off", fault);
      }
      // The system's other words for no connection (a blackhole route says EINVAL) may pass, too.
      if (SYSTEM_ERROR.test(code)) {
        return unreachable(target, `it cannot be reached (${code})`, fault);
      }
      return notAForeman(target, fault.message.slice(0, SENTENCE_CHARACTERS_MAX));
  }
}
