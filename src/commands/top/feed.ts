/**
 * The monitor's feed from a real foreman: finds it anew with each dial, follows what is looked at for as
 * long as the monitor runs, and does what is asked on the same connection. It starts no foreman.
 */

import { bodyOf, type Connection } from "../../runtime/client/connection.ts";
import type { LinkState as ClientLinkState } from "../../runtime/client/lasting-connection.ts";
import { readLogPage } from "../../runtime/client/read-logs.ts";
import {
  DEFAULT_URL,
  type Reachable,
  type ReachRequest,
  reachForeman,
} from "../../runtime/client/resolve.ts";
import { type ViewNews, watchView } from "../../runtime/client/watch-view.ts";
import type { Clock } from "../../runtime/platform/clock.ts";
import type { Chance } from "../../runtime/platform/random.ts";
import { PROGRAM_VERSION } from "../../runtime/platform/version.ts";
import { CcError, toCcError } from "../../runtime/protocol/error.ts";
import { parseJobOrTask } from "../../runtime/protocol/ids.ts";
import type { View } from "../../runtime/protocol/messages/client.ts";
import { FEATURE_MONITOR } from "../../runtime/protocol/messages.ts";
import type { JobMonitorView } from "../../runtime/protocol/monitor-views.ts";
import { readNotedUrl } from "../../runtime/store/folder.ts";
import type { FeedUpdate, Focus, LinkState, MonitorFeed, OpenFeed } from "../../tui/feed.ts";
import { noForeman } from "../with-foreman.ts";
import { aboutKey, feedError, orFault } from "./feed-fault.ts";
import { bodyOfFocus, viewOfFocus } from "./focus-view.ts";
import { performAction } from "./perform-action.ts";

export interface ForemanFeedParts extends Omit<ReachRequest, "signal"> {
  readonly chance: Chance;
}

/** What a feed needs of wherever its foreman is. */
export interface FeedParts {
  /** Dials once. */
  connect(): Promise<Connection>;
  /** Where it dials, as far as that is known. */
  url(): string;
  /** The key that may look and steer, for whoever has another one. */
  readonly adminKeyFile: string;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** A feed for `cc top`; nothing is dialled before it is opened. */
export function openForemanFeed(parts: ForemanFeedParts): OpenFeed {
  const { clock, chance, paths } = parts;
  return (onUpdate) => {
    let wasConnected = false;
    let url = parts.foreman ?? readNotedUrl(paths.defaultStore) ?? DEFAULT_URL;
    const connect = async (): Promise<Connection> => {
      const reached = await (wasConnected ? reachAgain(parts) : reachForeman(parts));
      if (reached.kind === "absent") throw noForeman();
      ({ url } = reached.connection);
      wasConnected = true;
      return reached.connection;
    };
    const adminKeyFile = paths.localAdminKey;
    return createFeed({ connect, url: () => url, adminKeyFile, clock, chance }, onUpdate);
  };
}

/** What somebody else's foreman says to our key. */
const STRANGERS: readonly string[] = ["foreman_mismatch", "wrong_key", "not_a_foreman"];

/**
 * Where nobody named an address, ours is the foreman that was noted. While that is away, whoever sits at the
 * usual address has no say about it.
 */
async function reachAgain(parts: ForemanFeedParts): Promise<Reachable> {
  try {
    return await reachForeman(parts);
  } catch (thrown) {
    const isOfAnother = STRANGERS.includes(toCcError(thrown).code);
    if (parts.foreman === undefined && isOfAnother) return { kind: "absent" };
    throw thrown;
  }
}

export function createFeed(parts: FeedParts, onUpdate: (update: FeedUpdate) => void): MonitorFeed {
  const { clock, chance, adminKeyFile } = parts;
  /** By the question that was asked. */
  const focusOf = new WeakMap<View, Focus>();

  async function connect(): Promise<Connection> {
    const connection = await parts.connect();
    if (connection.welcome?.features?.includes(FEATURE_MONITOR) === true) return connection;
    connection.close();
    throw tooOld(connection);
  }

  const watch = watchView({
    connect,
    clock,
    chance,
    onLink: (state) =>
      onUpdate({ kind: "link", url: parts.url(), link: linkOf(state, adminKeyFile) }),
    onNews(view, news) {
      const focus = focusOf.get(view);
      if (focus !== undefined) onUpdate(viewUpdate(focus, news));
    },
    onFailed(view, error) {
      const focus = focusOf.get(view);
      if (focus !== undefined) onUpdate({ kind: "failed", focus, error: feedError(error) });
    },
  });

  return {
    look(focus) {
      const view = viewOfFocus(focus);
      focusOf.set(view, focus);
      watch.look(view);
    },
    act: (request) =>
      orFault(
        watch.run(async (connection) => ({
          sentence: await performAction(connection, request),
        })),
      ),
    readLog: (query) => orFault(watch.run((connection) => readLogPage(connection, query))),
    newestFailedTask: (jobId) =>
      orFault(watch.run((connection) => findNewestFailed(connection, jobId))),
    close: watch.close,
  };
}

function viewUpdate(focus: Focus, { body, roundTripMs, bytes }: ViewNews): FeedUpdate {
  return { kind: "view", focus, view: bodyOfFocus(focus, body), roundTripMs, bytes };
}

function linkOf(state: ClientLinkState, adminKeyFile: string): LinkState {
  switch (state.kind) {
    case "live":
      return state;
    case "refused":
      return { kind: "refused", error: aboutKey(state.error, adminKeyFile) };
    default:
      return { ...state, error: state.error === null ? null : feedError(state.error) };
  }
}

/** It speaks the same protocol, and knows no such views. */
const tooOld = ({ url, welcome }: Connection): CcError =>
  new CcError({
    code: "version_mismatch",
    message: `The foreman at ${url} is crowdcompute ${welcome?.programVersion ?? "?"} and cannot show what the monitor needs; this is crowdcompute ${PROGRAM_VERSION}.`,
    hint: "Upgrade the foreman; cc jobs and cc workers work with it as it is.",
    exitCode: 3,
  });

const NO_ROWS = { sort: "", reverse: false, filter: "", from: 0, rows: 0 };

/** The last one of the error group that grew last. */
async function findNewestFailed(
  connection: Connection,
  jobId: number,
): Promise<{ readonly index: number } | null> {
  const snapshot = await connection.look({
    kind: "job_monitor",
    job_id: jobId,
    window_seconds: 60,
    back_seconds: 0,
    cells: 0,
    tasks: NO_ROWS,
  });
  const { errors } = bodyOf<JobMonitorView>(snapshot);
  const [newest] = [...errors].sort((a, b) => timeOf(b) - timeOf(a));
  const index = parseJobOrTask(newest?.task_ids[0] ?? newest?.task_id ?? "")?.index ?? null;
  return index === null ? null : { index };
}

const timeOf = ({ last_at }: { readonly last_at: string | null }): number =>
  last_at === null ? 0 : Date.parse(last_at);
