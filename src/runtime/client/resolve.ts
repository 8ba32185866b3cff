/**
 * The one place that decides which foreman a client talks to: an address given by flag, environment or
 * configuration; else the one noted in the default store; else the default address. It connects, and
 * says when nobody is there; what to do then is the command's decision.
 */
import { resolve } from "node:path";
import type { Clock } from "../platform/clock.ts";
import type { Paths } from "../platform/paths.ts";
import { CcError, toCcError } from "../protocol/error.ts";
import { readNotedUrl } from "../store/folder.ts";
import { dial } from "../transport/client.ts";
import { ensureKeyFile, readKeyFile } from "../transport/key-files.ts";
import type { Key } from "../transport/keys.ts";
import { type Connection, openConnection } from "./connection.ts";

export const DEFAULT_URL = "ws://127.0.0.1:9000";

export interface ReachRequest {
  /** From flag, environment or configuration; undefined when nobody named one. */
  readonly foreman: string | undefined;
  readonly keyFile: string | undefined;
  readonly cwd: string;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export type Reachable =
  | { readonly kind: "connected"; readonly connection: Connection; redial(): Promise<Connection> }
  /** No address was given, and nobody listens where this account's foreman would. */
  | { readonly kind: "absent" };

/**
 * @throws CcError with exit 3: `foreman_unreachable` when a given address does not answer (at once),
 * `not_a_foreman` or a refusal when somebody else does.
 */
export async function reachForeman(request: ReachRequest): Promise<Reachable> {
  const key = readKey(request);
  if (request.foreman !== undefined) return connected(request.foreman, key, request);
  const noted = readNotedUrl(request.paths.defaultStore);
  // A note may outlive its foreman, and its port may be somebody else's by now.
  const atNoted = noted === null ? null : await tryConnect(noted, key, request);
  if (atNoted !== null) return atNoted;
  if (noted === DEFAULT_URL) return { kind: "absent" };
  try {
    return await connected(DEFAULT_URL, key, request);
  } catch (thrown) {
    const error = toCcError(thrown);
    if (error.code === "foreman_unreachable") return { kind: "absent" };
    throw besideSomebodyElse(error);
  }
}

/** Connects to one address. */
export function connectTo(
  url: string,
  key: Key,
  parts: Pick<ReachRequest, "clock" | "signal">,
): Promise<Connection> {
  const { clock, signal } = parts;
  return openConnection(url, (handler) =>
    dial({ url, key, role: "client", handler, clock, ...(signal ? { signal } : {}) }),
  );
}

/** The key file that was named, or this account's own, which is made when it is missing. */
export function readKey(request: Pick<ReachRequest, "keyFile" | "cwd" | "paths">): Key {
  const { keyFile, cwd, paths } = request;
  return keyFile === undefined
    ? ensureKeyFile(paths.localAdminKey, "client")
    : readKeyFile(resolve(cwd, keyFile));
}

async function connected(url: string, key: Key, request: ReachRequest): Promise<Reachable> {
  const connection = await connectTo(url, key, request);
  // A foreman that comes back listens at the same address.
  return {
    kind: "connected",
    connection,
    redial: () => connectTo(url, key, { clock: request.clock }),
  };
}

async function tryConnect(url: string, key: Key, request: ReachRequest): Promise<Reachable | null> {
  try {
    return await connected(url, key, request);
  } catch (thrown) {
    const error = toCcError(thrown);
    const { code } = error;
    if (code === "foreman_unreachable" || code === "not_a_foreman") return null;
    // It knows the key, or the key was named for it: that is the answer, not a sign of a stranger.
    if (KNOWS_THE_KEY.includes(code) || request.keyFile !== undefined) throw error;
    if (url !== DEFAULT_URL && code !== "version_mismatch") return null;
    throw besideSomebodyElse(error);
  }
}

/** What only a foreman says that knows the key. */
const KNOWS_THE_KEY: readonly string[] = ["wrong_role", "key_revoked"];

/** Nobody named this address: whoever sits there is in the way, and work need not wait for that. */
function besideSomebodyElse(error: CcError): CcError {
  return new CcError({
    code: error.code,
    message: error.message,
    hint: "Run without it: add --local. Or name a foreman: --foreman URL.",
    retryable: error.retryable,
    exitCode: 3,
    cause: error,
  });
}
