/**
 * The border between the monitor and whatever brings it its data: the real feed (commands/top) speaks to
 * a foreman, tests replay one. The monitor asks for a focus and hears updates; it never waits for them.
 */
import type { LogStream } from "../runtime/protocol/messages/logs.ts";
import type {
  JobMonitorView,
  OverviewView,
  TaskMonitorView,
  WorkerMonitorView,
} from "../runtime/protocol/monitor-views.ts";

/** Which part of a list is wanted; as `ListWindow` of the protocol. */
export interface WindowRequest {
  readonly sort: string;
  readonly reverse: boolean;
  readonly filter: string;
  readonly from: number;
  readonly rows: number;
  readonly anchor?: string;
  readonly around?: boolean;
}

/** What is looked at now. A log is not followed here: it is read in pages. */
export type Focus =
  | {
      readonly kind: "overview";
      readonly windowSeconds: number;
      readonly backSeconds: number;
      readonly jobs: WindowRequest;
      readonly workers: WindowRequest;
      readonly events: number;
    }
  | {
      readonly kind: "job";
      readonly jobId: number;
      readonly windowSeconds: number;
      readonly backSeconds: number;
      readonly cells: number;
      readonly tasks: WindowRequest;
    }
  | {
      readonly kind: "task";
      readonly jobId: number;
      readonly index: number;
      readonly textCharacters: number;
    }
  | {
      readonly kind: "worker";
      readonly workerId: string;
      readonly windowSeconds: number;
      readonly backSeconds: number;
      readonly tasks: WindowRequest;
    };

/** The newest state of what the focus asked for. */
export type FocusBody =
  | { readonly kind: "overview"; readonly body: OverviewView }
  | { readonly kind: "job"; readonly body: JobMonitorView }
  | { readonly kind: "task"; readonly body: TaskMonitorView }
  | { readonly kind: "worker"; readonly body: WorkerMonitorView };

/** A refusal or a fault, as errors are everywhere: code, sentence, hint. */
export interface FeedError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly retryable: boolean;
}

export type LinkState =
  | { readonly kind: "connecting"; readonly attempt: number; readonly error: FeedError | null }
  | { readonly kind: "live" }
  /** Was live; the feed tries again by itself. */
  | { readonly kind: "lost"; readonly attempt: number; readonly error: FeedError | null }
  /** Trying again would change nothing: the key is refused, or the versions do not meet. */
  | { readonly kind: "refused"; readonly error: FeedError };

export type FeedUpdate =
  | { readonly kind: "link"; readonly url: string; readonly link: LinkState }
  /** `focus` is the one that it answers, by identity; an older focus's late answer is not shown. */
  | {
      readonly kind: "view";
      readonly focus: Focus;
      readonly view: FocusBody;
      /** Round trip of the question, null for an update that came by itself. */
      readonly roundTripMs: number | null;
      readonly bytes: number;
    }
  /** The focus has no answer: there is no such job, worker or task. */
  | { readonly kind: "failed"; readonly focus: Focus; readonly error: FeedError };

/** What can be done; each is a verb too (the sentence in `verb` is what one would type). */
export type ActionRequest =
  | { readonly kind: "cancel_job"; readonly jobId: number }
  | { readonly kind: "cancel_tasks"; readonly jobId: number; readonly indexes: readonly number[] }
  | { readonly kind: "retry_failed"; readonly jobId: number }
  | { readonly kind: "retry_tasks"; readonly jobId: number; readonly indexes: readonly number[] }
  | { readonly kind: "pause_job"; readonly jobId: number; readonly paused: boolean }
  | { readonly kind: "set_priority"; readonly jobId: number; readonly priority: number }
  | { readonly kind: "pause_worker"; readonly workerId: string; readonly paused: boolean }
  | { readonly kind: "drain_worker"; readonly workerId: string; readonly undo: boolean };

/** The foreman's acknowledgement, after its commit. */
export interface ActionOutcome {
  /** What has happened, with numbers, or that there was nothing to do. */
  readonly sentence: string;
}

export interface LogLine {
  readonly index: number;
  readonly attempt: number;
  readonly stream: LogStream;
  readonly atMs: number;
  readonly text: string;
}

export interface LogQuery {
  readonly jobId: number;
  readonly index: number | null;
  /** 0: of each task's newest. */
  readonly attempt: number | null;
  readonly failed: boolean;
  readonly direction: "forward" | "backward";
  readonly cursor: number | null;
  readonly bytesMax: number;
  readonly wait: boolean;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  readonly firstCursor: number;
  readonly nextCursor: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly finished: boolean;
  readonly totalBytes: number;
  readonly droppedBytes: number;
}

export interface MonitorFeed {
  /** Replaces the focus; the answer comes as an update. */
  look(focus: Focus): void;
  /** @throws FeedError */
  act(request: ActionRequest): Promise<ActionOutcome>;
  /** @throws FeedError */
  readLog(query: LogQuery): Promise<LogPage>;
  /** The newest failed task of a job that has one. @throws FeedError */
  newestFailedTask(jobId: number): Promise<{ readonly index: number } | null>;
  close(): void;
}

/** Opens the feed; `onUpdate` may be called at any time until `close`. */
export type OpenFeed = (onUpdate: (update: FeedUpdate) => void) => MonitorFeed;
