/**
 * How a command that runs jobs gets its foreman: the one in reach, or one of its own for as long as
 * anybody follows a job. It decides by what was asked (`--local`, `--detach`) and by who is there.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Chance } from "../platform/random.ts";
import { CcError, usageError } from "../protocol/error.ts";
import type { ForemanView } from "../protocol/views.ts";
import { bodyOf, type Connection } from "./connection.ts";
import { createLink, type Link } from "./link.ts";
import { reachOrStart, startUnlessHeld } from "./reach-or-start.ts";
import type { Reachable, ReachRequest } from "./resolve.ts";
import { startTiedForeman, type TiedForeman } from "./tied-foreman.ts";

export interface OpenRequest extends ReachRequest {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly chance: Chance;
  /** `--local` or `--local=N`. */
  readonly local: number | true | undefined;
  /** The address was typed on this command line, not configured. */
  readonly isForemanTyped: boolean;
  /** The command will not stay, so a foreman of its own would not either. */
  readonly detach: boolean;
  /** A line for the person. */
  say(line: string): void;
  onChange?(isUp: boolean): void;
}

export interface OpenedForeman {
  readonly link: Link;
  /** Foreman and workers are this command's own. */
  readonly isLocal: boolean;
  /** A store that nobody else looks at, as the default one was in use; null otherwise. */
  readonly ownStore: string | null;
  /** `isDone`: nothing is left to go on with, so a store of its own may go. */
  close(end: { readonly isDone: boolean }): Promise<void>;
}

/** @throws CcError with exit 3 when there is none and none may be started. */
export async function openForeman(request: OpenRequest): Promise<OpenedForeman> {
  if (request.local !== undefined) return await openLocal(request, request.local);
  const found = await reachOrStart(request, () => {
    if (request.detach) throw nobodyStays("No foreman is running");
    return startHere(request);
  });
  if (found.kind === "started") return overTied(request, found.foreman, null);
  if (request.detach) await refuseTied(found.connection);
  return overReached(request, found);
}

function overReached(
  request: OpenRequest,
  reached: Extract<Reachable, { kind: "connected" }>,
): OpenedForeman {
  const link = linkOver(request, reached.connection, reached.redial);
  return { link, isLocal: false, ownStore: null, close: async () => link.close() };
}

function overTied(request: OpenRequest, tied: TiedForeman, ownStore: string | null): OpenedForeman {
  const link = linkOver(request, tied.connection, tied.redial);
  return {
    link,
    isLocal: true,
    ownStore,
    async close({ isDone }) {
      link.close();
      if (ownStore !== null && isDone) await tied.discard();
      else await tied.release();
    },
  };
}

function linkOver(
  { clock, chance, onChange }: OpenRequest,
  connection: Connection,
  redial: () => Promise<Connection>,
): Link {
  return createLink({ connection, redial, clock, chance, ...(onChange ? { onChange } : {}) });
}

async function startHere(request: OpenRequest): Promise<TiedForeman> {
  const workers = availableParallelism();
  const tied = await startTiedForeman({ ...request, workers });
  request.say(
    `no foreman is running: running here, on ${slotCount(workers)} (cc foreman --workers ${workers} keeps one)`,
  );
  return tied;
}

async function openLocal(request: OpenRequest, local: number | true): Promise<OpenedForeman> {
  if (request.isForemanTyped) {
    throw usageError("local_and_foreman", "--local runs here, --foreman elsewhere; give one.");
  }
  if (request.detach) throw nobodyStays("--local uses no foreman that stays");
  const workers = local === true ? availableParallelism() : local;
  const base = { ...request, keyFile: undefined, workers, anyPort: true };
  const tied = await startUnlessHeld(request, () => startTiedForeman(base));
  if (tied !== null) {
    request.say(`running here, on ${slotCount(workers)}`);
    return overTied(request, tied, null);
  }
  const ownStore = join(request.paths.stateFolder, `local-${process.pid}-${request.clock.nowMs()}`);
  const beside = await startTiedForeman({ ...base, storeFolder: ownStore });
  request.say(
    `running here, on ${slotCount(workers)}, with a store of its own: the default one is in use`,
  );
  return overTied(request, beside, ownStore);
}

const slotCount = (count: number): string => `${count} slot${count === 1 ? "" : "s"}`;

/** @throws CcError `no_foreman`: what another command has started runs only what is followed. */
async function refuseTied(connection: Connection): Promise<void> {
  const foreman = bodyOf<ForemanView>(await connection.look({ kind: "foreman" }));
  if (!foreman.only_followed) return;
  connection.close();
  throw nobodyStays(
    "The foreman here belongs to another command and ends with it",
    "Leave -d out, or start one that stays once that command has ended",
  );
}

function nobodyStays(reason: string, advice = "Start one that stays"): CcError {
  const workers = availableParallelism();
  return new CcError({
    code: "no_foreman",
    message: `${reason}, so nobody would run a job that is not followed.`,
    hint: `${advice}: cc foreman --workers ${workers} &`,
    exitCode: 3,
  });
}
