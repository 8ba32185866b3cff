/** Which place of the monitor a word of the command line names: `17`, `17/3`, `last`, a worker's name. */
import type { Connection } from "../../runtime/client/connection.ts";
import type { OncePlace } from "../../tui/once/once-focus.ts";
import { tryFindJobOrTask } from "../job-arguments.ts";

/** Asks the foreman only for `last`; that there is such a place is not checked. */
export async function findPlace(
  connection: Connection,
  word: string | undefined,
): Promise<OncePlace> {
  if (word === undefined) return { kind: "overview" };
  const found = await tryFindJobOrTask(connection, word);
  if (found === null) return { kind: "worker", workerId: word };
  const { jobId, index } = found;
  return index === null ? { kind: "job", jobId } : { kind: "task", jobId, index };
}
