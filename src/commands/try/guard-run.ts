/**
 * Runs an author's asynchronous code so that every way in which it can end is noticed: a value, an
 * error, an error that nobody caught, and an attempt to end the process.
 */
import process from "node:process";
import { CcError } from "../../runtime/protocol/error.ts";

/** Bun keeps a core busy while nothing but a pending promise is left; any timer lets it rest. */
const REST_MS = 60_000;

/** @throws what the code throws, or CcError `exited`. */
export async function guardRun<Value>(run: () => Promise<Value>): Promise<Value> {
  const stray = Promise.withResolvers<never>();
  // The race below may have ended before: then nobody listens any more.
  stray.promise.catch(() => {});
  const onStray = (thrown: unknown): void => stray.reject(thrown);
  const realExit = process.exit;
  process.exit = (code) => {
    const attempt = exited(code);
    stray.reject(attempt);
    // So that the code after it does not run.
    throw attempt;
  };
  process.on("uncaughtException", onStray);
  process.on("unhandledRejection", onStray);
  const resting = setInterval(() => {}, REST_MS);
  try {
    return await Promise.race([run(), stray.promise]);
  } finally {
    clearInterval(resting);
    process.exit = realExit;
    process.off("uncaughtException", onStray);
    process.off("unhandledRejection", onStray);
  }
}

const exited = (code: unknown): CcError =>
  new CcError({
    code: "exited",
    message: `The task called process.exit(${code === undefined ? "" : String(code)}), expected a value or an error.`,
  });
