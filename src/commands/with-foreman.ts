/**
 * How the verbs that look and steer reach a foreman. Looking without a listening foreman reads the
 * default store directly; steering starts a foreman without workers just for that act.
 */
import { type Connection, openConnection } from "../runtime/client/connection.ts";
import { reachOrStart } from "../runtime/client/reach-or-start.ts";
import { isConnectionLost } from "../runtime/client/requests.ts";
import { type Reachable, type ReachRequest, reachForeman } from "../runtime/client/resolve.ts";
import type { TiedForemanRequest } from "../runtime/client/tied-foreman.ts";
import { systemClock } from "../runtime/platform/clock.ts";
import { silentLogger } from "../runtime/platform/logger.ts";
import { accountName, findPaths } from "../runtime/platform/paths.ts";
import { CcError } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";

/** What these verbs need of a context; every client verb's fits. */
export type ClientContext = Pick<CommandContext, "env" | "cwd" | "io"> & {
  readonly values: {
    readonly foreman?: string | undefined;
    readonly keyFile?: string | undefined;
  };
};

/** `look` never changes anything, so it may read a store that no foreman has open. */
export async function withForeman<Result>(
  context: ClientContext,
  purpose: "look" | "act",
  use: (connection: Connection) => Promise<Result>,
  child: Pick<TiedForemanRequest, "retainsUntilAsked"> = {},
): Promise<Result> {
  if (purpose === "act") return await act(context, use, child);
  for (let tries = 0; tries < LOOK_TRIES_MAX; tries++) {
    const reached = await reach(context);
    if (reached.kind !== "connected") break;
    const { connection } = reached;
    const isNamed = context.values.foreman !== undefined;
    if (isNamed || (await isServing(connection))) return await useAndClose(connection, use);
  }
  return await lookOffline(context, use);
}

/** The foreman of a command that has just ended may take a connection and close it unanswered. */
const LOOK_TRIES_MAX = 20;

/** From its first answer on a foreman stays for whoever is connected. */
async function isServing(connection: Connection): Promise<boolean> {
  try {
    await connection.look({ kind: "foreman" });
    return true;
  } catch (thrown) {
    connection.close();
    if (!isConnectionLost(thrown)) throw thrown;
    return false;
  }
}

/** @throws CcError `foreman_unreachable` when none listens: this verb is about a running one. */
export async function withListeningForeman<Result>(
  context: ClientContext,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const reached = await reach(context);
  if (reached.kind === "connected") return useAndClose(reached.connection, use);
  throw noForeman();
}

/** For verbs that are about a running foreman and started none. */
export function noForeman(): CcError {
  return new CcError({
    code: "foreman_unreachable",
    message: "No foreman is running here.",
    hint: "cc foreman",
    retryable: true,
    exitCode: 3,
  });
}

const reach = (context: ClientContext): Promise<Reachable> => reachForeman(requestOf(context));

const requestOf = ({ values, cwd, env }: ClientContext): ReachRequest => ({
  foreman: values.foreman,
  keyFile: values.keyFile,
  cwd,
  paths: findPaths(env),
  clock: systemClock,
});

async function useAndClose<Result>(
  connection: Connection,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

async function lookOffline<Result>(
  context: ClientContext,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  // Heavy, and rare: most looks find a foreman.
  const { openOfflineForeman } = await import("../runtime/foreman/offline.ts");
  const storeFolder = findPaths(context.env).defaultStore;
  const foreman = await openOfflineForeman({
    storeFolder,
    owner: accountName(context.env),
    clock: systemClock,
    logger: silentLogger,
  });
  try {
    const connection = await openConnection(storeFolder, async (handler) =>
      foreman.connect(() => handler),
    );
    return await useAndClose(connection, use);
  } finally {
    await foreman.close();
  }
}

async function act<Result>(
  context: ClientContext,
  use: (connection: Connection) => Promise<Result>,
  child: Pick<TiedForemanRequest, "retainsUntilAsked">,
): Promise<Result> {
  const { env, cwd, values } = context;
  const found = await reachOrStart(requestOf(context), async () => {
    const { startTiedForeman } = await import("../runtime/client/tied-foreman.ts");
    return await startTiedForeman({ env, cwd, keyFile: values.keyFile, workers: 0, ...child });
  });
  if (found.kind === "connected") return await useAndClose(found.connection, use);
  try {
    return await useAndClose(found.foreman.connection, use);
  } finally {
    await found.foreman.release();
  }
}
