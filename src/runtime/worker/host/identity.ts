/**
 * Under which name this worker appears: `--id`, or the host's name, or that with -2, -3 … for further
 * workers of this account on the machine. A name is held by an exclusive transaction on a small SQLite
 * file, which the system drops with the process whatever ends it; nothing is ever written into it, and
 * the file stays, since removing it could take another worker's lock away.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openSqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { asWorkerId, type WorkerId } from "../../protocol/ids.ts";

export interface WorkerIdentity {
  readonly workerId: WorkerId;
  /** This name's own folder for unacknowledged results, beside its lock; made by whoever uses it. */
  readonly spoolFolder: string;
  release(): void;
}

export interface IdentityOptions {
  /** `--id`; null: by the host's name. */
  readonly wantedId: string | null;
  readonly hostName: string;
  /** The account's state folder; locks lie in `workers/` below it. */
  readonly stateFolder: string;
}

/** More workers of one account on one machine are a mistake in a loop. */
const WORKERS_PER_MACHINE_MAX = 4_096;
const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * @throws CcError `bad_worker_id` (64), `worker_id_in_use` (75) for a wanted id that is held here,
 * `worker_state` (74) when the lock's folder cannot be used.
 */
export async function acquireIdentity(options: IdentityOptions): Promise<WorkerIdentity> {
  const { wantedId, hostName } = options;
  if (wantedId !== null) {
    const held = await tryHold(options, checkId(wantedId));
    if (held !== null) return held;
    throw new CcError({
      code: "worker_id_in_use",
      message: `A worker with the id "${wantedId}" already runs on this machine.`,
      hint: "Give this one another --id, or leave it out to get a free one.",
      exitCode: 75,
    });
  }
  const base = idOfHost(hostName);
  for (let number = 1; number <= WORKERS_PER_MACHINE_MAX; number++) {
    const held = await tryHold(options, number === 1 ? base : `${base}-${number}`);
    if (held !== null) return held;
  }
  throw new CcError({
    code: "worker_id_in_use",
    message: `All names from ${base} to ${base}-${WORKERS_PER_MACHINE_MAX} are held by workers.`,
    hint: "Stop some of them, or give this one an --id.",
    exitCode: 75,
  });
}

/** A host's name with what no id may hold replaced; never empty. */
export function idOfHost(hostName: string): string {
  const id = hostName.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return id.slice(0, 120) || "worker";
}

function checkId(id: string): string {
  if (ID_PATTERN.test(id)) return id;
  throw new CcError({
    code: "bad_worker_id",
    message: `--id: "${id.slice(0, 200)}" is no name for a worker.`,
    hint: "Use letters, digits, dots, dashes and underscores, at most 128, beginning with a letter or digit.",
    exitCode: 64,
  });
}

/** Null when another process holds the name. */
async function tryHold(options: IdentityOptions, id: string): Promise<WorkerIdentity | null> {
  const folder = join(options.stateFolder, "workers");
  const path = join(folder, `${id}.lock`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const database = await openSqlDatabase({ path, readOnly: false });
    try {
      database.exec("pragma busy_timeout = 0");
      database.exec("pragma locking_mode = exclusive");
      database.exec("begin exclusive");
    } catch (thrown) {
      database.close();
      if (sqliteFaultOf(thrown) === "busy") return null;
      throw thrown;
    }
    const spoolFolder = join(folder, `${id}.spool`);
    return { workerId: asWorkerId(id), spoolFolder, release: () => database.close() };
  } catch (cause) {
    throw new CcError({
      code: "worker_state",
      message: `The worker cannot lock ${path}: ${cause instanceof Error ? cause.message : cause}.`,
      hint: "Look at the free space and the owner of the folder, or set XDG_STATE_HOME.",
      exitCode: 74,
      cause,
    });
  }
}
