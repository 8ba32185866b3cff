/**
 * What the schemas of messages cannot say: who sends each, what answers it, and its meaning where the
 * sources have no comment of their own. A message without an entry does not compile.
 */
import type { MessageType } from "../src/runtime/protocol/messages.ts";

export interface MessageNote {
  readonly from: "client" | "worker" | "foreman" | "client or worker" | "either side";
  /** The message that answers it; an `error` is always possible. */
  readonly answer?: string;
  /** The constant in the sources whose comments describe it. */
  readonly source: string;
  readonly meaning?: string;
}

export const MESSAGE_GROUPS: readonly {
  readonly title: string;
  readonly types: readonly MessageType[];
}[] = [
  {
    title: "Handshake and errors",
    types: ["hello", "challenge", "authenticate", "welcome", "error", "goodbye"],
  },
  {
    title: "Clients: submitting",
    types: ["submit_job", "job_accepted", "submit_tasks", "tasks_accepted", "close_job"],
  },
  {
    title: "Clients: steering",
    types: [
      "cancel_job",
      "retry_job",
      "update_job",
      "remove_job",
      "collect_garbage",
      "garbage",
      "get_job",
      "job_status",
      "update_worker",
      "drain_worker",
      "shutdown",
      "follow_jobs",
      "done",
    ],
  },
  {
    title: "Clients: reading and looking",
    types: [
      "read_results",
      "results",
      "read_output",
      "output",
      "read_events",
      "events",
      "read_logs",
      "logs",
      "subscribe",
      "snapshot",
      "delta",
      "unsubscribe",
    ],
  },
  {
    title: "Workers",
    types: [
      "worker_ready",
      "announce",
      "drain",
      "heartbeat",
      "heartbeat_echo",
      "observe",
      "activity",
      "assign_task",
      "task_started",
      "task_result",
      "task_result_ack",
      "revoke_task",
      "tasks_returned",
      "cancel_task",
      "tasks_gone",
      "output_chunk",
      "output_chunk_ack",
      "task_log",
      "task_log_ack",
    ],
  },
  { title: "Code", types: ["blob_offer", "blob_need", "blob_chunk", "blob_done"] },
];

export const MESSAGE_NOTES: Readonly<Record<MessageType, MessageNote>> = {
  hello: {
    from: "client or worker",
    answer: "challenge",
    source: "hello",
    meaning: "The first message of a connection.",
  },
  challenge: {
    from: "foreman",
    answer: "authenticate",
    source: "challenge",
    meaning: "The foreman's proof; a peer that cannot check it says nothing more.",
  },
  authenticate: {
    from: "client or worker",
    answer: "welcome",
    source: "authenticate",
    meaning: "The peer's proof.",
  },
  welcome: {
    from: "foreman",
    source: "welcome",
    meaning: "The connection is open. Only the fields of `challenge` were proved.",
  },
  error: { from: "either side", source: "errorMessage" },
  goodbye: { from: "either side", source: "goodbye" },
  submit_job: { from: "client", answer: "job_accepted", source: "submitJob" },
  job_accepted: {
    from: "foreman",
    source: "jobAccepted",
    meaning: "The job and its first inputs are committed.",
  },
  submit_tasks: {
    from: "client",
    answer: "tasks_accepted",
    source: "submitTasks",
    meaning:
      "Further inputs, from `first_index` on. What the foreman holds already is skipped, so that a resend is safe.",
  },
  tasks_accepted: {
    from: "foreman",
    source: "tasksAccepted",
    meaning: "The inputs below `next_index` are committed.",
  },
  close_job: { from: "client", answer: "job_status", source: "closeJob" },
  update_job: {
    from: "client",
    answer: "job_status",
    source: "updateJob",
    meaning: "Changes a job: `cc set`, `cc pause JOB`, `cc resume JOB`.",
  },
  cancel_job: { from: "client", answer: "job_status", source: "cancelJob" },
  retry_job: { from: "client", answer: "job_status", source: "retryJob" },
  remove_job: {
    from: "client",
    answer: "job_status",
    source: "removeJob",
    meaning: "Forgets a finished job with all it left; `job` of the answer is null.",
  },
  collect_garbage: {
    from: "client",
    answer: "garbage",
    source: "collectGarbage",
    meaning: "Forgets what the rules of retention would forget: `cc gc`.",
  },
  garbage: {
    from: "foreman",
    source: "garbage",
    meaning: "The jobs that are forgotten, at most 1,000 an answer.",
  },
  get_job: { from: "client", answer: "job_status", source: "getJob" },
  job_status: { from: "foreman", source: "jobStatus" },
  read_results: {
    from: "client",
    answer: "results",
    source: "readResults",
    meaning:
      "Asks for the next results: the reader pulls, so its speed is the stream's, and a cursor resumes it.",
  },
  results: {
    from: "foreman",
    source: "results",
    meaning:
      "Rows of settled tasks. Where a row's `status` is not 0, its value is the failure: kind 5.",
  },
  read_events: { from: "client", answer: "events", source: "readEvents" },
  events: { from: "foreman", source: "events", meaning: "The next lines of the event log." },
  read_logs: {
    from: "client",
    answer: "logs",
    source: "readLogs",
    meaning:
      "Asks for what tasks have printed, in the order in which it arrived: the next of it, or the last. A cursor resumes it in either direction.",
  },
  logs: { from: "foreman", source: "logs" },
  subscribe: { from: "client", answer: "snapshot", source: "subscribe" },
  unsubscribe: {
    from: "client",
    source: "unsubscribe",
    meaning: "Ends the deltas of the subscription with this `request`; not answered.",
  },
  snapshot: {
    from: "foreman",
    source: "snapshot",
    meaning:
      "The view as it is now: `body` is the JSON that `cc … --json` prints. For one task, `value` holds its input and, once there is one, its result.",
  },
  delta: { from: "foreman", source: "delta" },
  update_worker: { from: "client", answer: "done", source: "updateWorker" },
  drain_worker: { from: "client", answer: "done", source: "drainWorker" },
  shutdown: { from: "client", answer: "done", source: "shutdown" },
  follow_jobs: { from: "client", answer: "done", source: "followJobs" },
  done: { from: "foreman", source: "done", meaning: "It was done." },
  worker_ready: { from: "worker", source: "workerReady" },
  announce: { from: "worker", source: "announce" },
  drain: { from: "foreman", answer: "announce", source: "drain" },
  heartbeat: {
    from: "worker",
    answer: "heartbeat_echo",
    source: "heartbeat",
    meaning:
      "Renews the lease of everything the session holds; one whose `beat` is not higher renews nothing.",
  },
  heartbeat_echo: { from: "foreman", source: "heartbeatEcho" },
  observe: {
    from: "foreman",
    source: "observe",
    meaning:
      "Only to workers whose offer has the feature `activity`. While it is said again within its seconds, the worker sends `activity`.",
  },
  activity: { from: "worker", source: "activity" },
  assign_task: {
    from: "foreman",
    source: "assignTask",
    meaning:
      "Tasks to run. The assignment is in the store before this message leaves. `attempt` is the number these executions carry; consecutive indexes travel as `first_index`.",
  },
  task_started: { from: "worker", source: "taskStarted" },
  task_result: { from: "worker", answer: "task_result_ack", source: "taskResult" },
  task_result_ack: { from: "foreman", source: "taskResultAck" },
  revoke_task: { from: "foreman", answer: "tasks_returned", source: "revokeTask" },
  tasks_returned: { from: "worker", answer: "task_result_ack", source: "tasksReturned" },
  cancel_task: { from: "foreman", source: "cancelTask" },
  tasks_gone: { from: "worker", answer: "task_result_ack", source: "tasksGone" },
  output_chunk: { from: "worker", answer: "output_chunk_ack", source: "outputChunk" },
  output_chunk_ack: {
    from: "foreman",
    source: "outputChunkAck",
    meaning:
      "What is kept and what may be sent. It may come at any time, also unasked; without `refusal` everything after `kept_bytes` is still awaited.",
  },
  task_log: { from: "worker", answer: "task_log_ack", source: "taskLog" },
  task_log_ack: { from: "foreman", source: "taskLogAck" },
  read_output: { from: "client", answer: "output", source: "readOutput" },
  output: { from: "foreman", source: "output" },
  blob_offer: { from: "client", answer: "blob_need or blob_done", source: "blobOffer" },
  blob_need: {
    from: "either side",
    source: "blobNeed",
    meaning:
      "The foreman lacks the code that was offered; or a worker (or a client that may submit) wants it, and gets `blob_chunk`s and a `blob_done` under its `request`.",
  },
  blob_chunk: {
    from: "either side",
    source: "blobChunk",
    meaning: "The next mebibyte, in order. `request` is 0 on the way to the foreman.",
  },
  blob_done: {
    from: "either side",
    source: "blobDone",
    meaning:
      "All chunks were sent, or the foreman has the code. What does not have its SHA-256 is refused.",
  },
};
