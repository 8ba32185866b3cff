/**
 * A feed from a made-up installation, without a foreman and without time: it answers when a test says so (or
 * at once), remembers what it was asked, and does nothing that it is asked to do.
 */
import { bodyOfFocus, viewOfFocus } from "../../../src/commands/top/focus-view.ts";
import { type CcError, toCcError } from "../../../src/runtime/protocol/error.ts";
import type {
  ActionOutcome,
  ActionRequest,
  FeedError,
  FeedUpdate,
  Focus,
  LinkState,
  LogLine,
  LogPage,
  LogQuery,
  MonitorFeed,
  OpenFeed,
} from "../../../src/tui/feed.ts";
import { createWorld, type MonitorWorld, viewOf } from "./world.ts";

export interface ReplayFeed {
  readonly open: OpenFeed;
  readonly world: MonitorWorld;
  /** Everything that was looked at, in order. */
  readonly looked: readonly Focus[];
  readonly acted: readonly ActionRequest[];
  /** Every page that was asked for. */
  readonly logQueries: readonly LogQuery[];
  /** Answers the newest question, as it is or by itself (`push`). */
  answer(): void;
  push(): void;
  setLink(link: LinkState): void;
  /** What `act` answers from now on. */
  onAct(answer: (request: ActionRequest) => Promise<ActionOutcome>): void;
  readonly log: ReplayLog;
  readonly isClosed: boolean;
}

/** One log for all tasks; a cursor is the number of a line. */
export interface ReplayLog {
  append(...texts: readonly string[]): void;
  add(...lines: readonly LogLine[]): void;
  /** Nothing follows. */
  finish(): void;
  /** Lines of a page at most; a page's bytes do not matter here. */
  pageLines: number;
}

export function createReplayFeed(
  options: { readonly world?: MonitorWorld; readonly answersAtOnce?: boolean } = {},
): ReplayFeed {
  const { world = createWorld(), answersAtOnce = true } = options;
  const looked: Focus[] = [];
  const acted: ActionRequest[] = [];
  const log = createLog();
  let tell: (update: FeedUpdate) => void = () => undefined;
  let act: (request: ActionRequest) => Promise<ActionOutcome> = async () => ({ sentence: "done" });
  let isClosed = false;

  function answer(roundTripMs: number | null): void {
    const focus = looked.at(-1);
    if (focus === undefined) return;
    try {
      const view = bodyOfFocus(focus, viewOf(world, viewOfFocus(focus)));
      tell({ kind: "view", focus, view, roundTripMs, bytes: 1000 });
    } catch (thrown) {
      tell({ kind: "failed", focus, error: asFeedError(toCcError(thrown)) });
    }
  }

  const feed: MonitorFeed = {
    look(focus) {
      looked.push(focus);
      if (answersAtOnce) queueMicrotask(() => answer(1));
    },
    act(request) {
      acted.push(request);
      return act(request);
    },
    readLog: log.read,
    async newestFailedTask(jobId) {
      const task = world.tasks.get(jobId)?.find(({ state }) => state === "failed");
      return task === undefined ? null : { index: task.index };
    },
    close() {
      isClosed = true;
    },
  };
  return {
    open(onUpdate) {
      tell = onUpdate;
      tell({ kind: "link", url: "ws://10.0.0.5:9000", link: { kind: "live" } });
      return feed;
    },
    world,
    looked,
    acted,
    logQueries: log.queries,
    answer: () => answer(1),
    push: () => answer(null),
    setLink: (link) => tell({ kind: "link", url: "ws://10.0.0.5:9000", link }),
    onAct(given) {
      act = given;
    },
    log,
    get isClosed() {
      return isClosed;
    },
  };
}

const asFeedError = ({ code, message, hint, retryable }: CcError): FeedError => ({
  code,
  message,
  hint: hint ?? null,
  retryable,
});

function createLog(): ReplayLog & {
  readonly queries: LogQuery[];
  read(query: LogQuery): Promise<LogPage>;
} {
  const lines: LogLine[] = [];
  const queries: LogQuery[] = [];
  let finished = false;
  let onMore = Promise.withResolvers<void>();
  const changed = (): void => {
    onMore.resolve();
    onMore = Promise.withResolvers();
  };
  const log = {
    pageLines: 100,
    queries,
    append: (...texts: readonly string[]) =>
      log.add(
        ...texts.map((text, at) => ({
          index: 0,
          attempt: 1,
          stream: "stdout" as const,
          atMs: lines.length + at,
          text,
        })),
      ),
    add(...added: readonly LogLine[]) {
      lines.push(...added);
      changed();
    },
    finish() {
      finished = true;
      changed();
    },
    async read(query: LogQuery): Promise<LogPage> {
      queries.push(query);
      const cursor = query.cursor ?? (query.direction === "forward" ? 0 : lines.length);
      while (query.wait && !finished && cursor >= lines.length) await onMore.promise;
      const [from, to] =
        query.direction === "forward"
          ? [cursor, Math.min(lines.length, cursor + log.pageLines)]
          : [Math.max(0, cursor - log.pageLines), cursor];
      const atEnd = to === lines.length;
      return {
        lines: lines.slice(from, to),
        firstCursor: from,
        nextCursor: to,
        atStart: from === 0,
        atEnd,
        finished: finished && atEnd,
        totalBytes: lines.reduce((sum, { text }) => sum + text.length + 1, 0),
        droppedBytes: 0,
      };
    },
  };
  return log;
}
