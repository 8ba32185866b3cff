/**
 * The clients' side of the door: checks the right, turns a request into an event or a query, and the
 * machine's answer into a message. It decides nothing about jobs itself.
 */
import { failpoint } from "../../platform/failpoint.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import { asJobId, asWorkerId, type JobId } from "../../protocol/ids.ts";
import { SUBMIT_CREDIT_BYTES } from "../../protocol/limits.ts";
import type { Message, MessageOf } from "../../protocol/messages.ts";
import type { JobView } from "../../protocol/views.ts";
import type { ForemanAnswer, ReplyToken } from "../../scheduler/foreman/events.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { Store } from "../../store/store.ts";
import type { Channel } from "../../transport/channel.ts";
import type { UnstampedEvent } from "../pump.ts";
import type { BlobServer, BlobUpload } from "../storage/blob-server.ts";
import { accessRefusal, ownerRefusal } from "./access.ts";
import { answerError, checkIndexes, requestOf } from "./client-answers.ts";
import type { EventsDesk } from "./events-desk.ts";
import type { Followers } from "./followers.ts";
import type { GarbageDesk } from "./garbage-desk.ts";
import type { LogsDesk } from "./logs-desk.ts";
import type { OutputsDesk } from "./outputs-desk.ts";
import type { PacedHandler } from "./pace.ts";
import type { ResultsDesk } from "./results-desk.ts";
import type { Submissions } from "./submissions.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface ClientRequestsParts {
  readonly logger: Logger;
  readonly store: Store;
  readonly blobs: BlobServer;
  readonly submissions: Submissions;
  readonly results: ResultsDesk;
  /** As it now is. */
  outputs(): OutputsDesk;
  readonly events: EventsDesk;
  readonly logs: LogsDesk;
  readonly subscriptions: Subscriptions;
  readonly followers: Followers;
  readonly garbage: Pick<GarbageDesk, "collect">;
  post(event: UnstampedEvent): void;
  noSuchJob(id: number): CcError;
  /** A job's facts, live or ended; null when there is none. */
  findJob(jobId: JobId): Promise<JobFacts | null>;
  viewJob(jobId: JobId): Promise<JobView | null>;
  /** Tasks of this job whose last failure has this code. */
  findFailedWith(jobId: JobId, code: string): Promise<Uint32Array>;
  isLive(jobId: JobId): boolean;
  unfinishedJobs(): number;
  /** Ends the foreman, once the answer is out. */
  requestShutdown(): void;
}

export interface ClientRequests {
  open(channel: Channel): PacedHandler;
  /** Performs the effect `reply`. */
  reply(token: ReplyToken, answer: ForemanAnswer): void;
  /** Answers a request that the machine never saw. */
  refuse(token: ReplyToken, refusal: CcError): void;
}

interface Pending {
  readonly channel: Channel;
  readonly request: number;
  readonly client: Client;
  /** Of a submission: more inputs come on this connection. */
  readonly inputsFollow: boolean;
}

interface Client {
  readonly channel: Channel;
  /** Jobs whose inputs this connection is still sending. */
  readonly openJobs: Set<JobId>;
  readonly upload: BlobUpload;
  /** What it asked for is done all the same; nobody is told. */
  isGone: boolean;
}

export function createClientRequests(parts: ClientRequestsParts): ClientRequests {
  const pending = new Map<ReplyToken, Pending>();
  let nextToken = 1;

  function expect(client: Client, request: number, inputsFollow = false): ReplyToken {
    const token = nextToken++;
    pending.set(token, { channel: client.channel, request, client, inputsFollow });
    return token;
  }

  function open(channel: Channel): PacedHandler {
    const upload = parts.blobs.createUpload(channel);
    const client: Client = { channel, openJobs: new Set(), upload, isGone: false };
    return {
      onMessage(message) {
        const refusal = accessRefusal(channel.peer, message.type);
        if (refusal === null) return handle(client, message);
        answerError(channel, requestOf(message), refusal);
        return undefined;
      },
      onClose() {
        client.isGone = true;
        for (const jobId of client.openJobs) {
          parts.submissions.forget(jobId);
          parts.post({ type: "submitterDetached", jobId });
        }
        parts.results.drop(channel);
        parts.events.drop(channel);
        parts.logs.drop(channel);
        parts.subscriptions.drop(channel);
        parts.followers.drop(channel);
      },
    };
  }

  async function handle(client: Client, message: Message): Promise<void> {
    try {
      await dispatch(client, message);
    } catch (thrown) {
      const error = toCcError(thrown);
      if (error.code === "internal") parts.logger.error("a request failed", { cause: thrown });
      answerError(client.channel, requestOf(message), error);
    }
  }

  function dispatch(client: Client, message: Message): void | Promise<void> {
    const { channel } = client;
    switch (message.type) {
      case "blob_offer":
        return client.upload.onOffer(message);
      case "blob_chunk":
        client.upload.onChunk(message);
        return;
      case "blob_done":
        return client.upload.onDone(message);
      case "blob_need":
        return parts.blobs.serve(channel, message);
      case "submit_job":
        return submitJob(client, message);
      case "submit_tasks":
        parts.post(parts.submissions.submitTasks(message, expect(client, message.request)));
        return;
      case "close_job":
        return closeJob(client, message);
      case "update_job":
        return updateJob(client, message);
      case "cancel_job":
        return cancelJob(client, message);
      case "retry_job":
        return retryJob(client, message);
      case "remove_job":
        return removeJob(client, message);
      case "collect_garbage":
        return parts.garbage.collect(channel, message);
      case "get_job":
        return answerJob(channel, message.request, asJobId(message.job_id));
      case "read_results":
        return parts.results.read(channel, message);
      case "read_output":
        return parts.outputs().read(channel, message);
      case "read_events":
        return parts.events.read(channel, message);
      case "read_logs":
        return parts.logs.read(channel, message);
      case "subscribe":
        return parts.subscriptions.open(channel, message);
      case "unsubscribe":
        parts.subscriptions.close(channel, message.request);
        return;
      case "follow_jobs":
        parts.followers.follow(channel, message.job_ids.map(asJobId));
        channel.send({ type: "done", request: message.request });
        return;
      case "update_worker":
        parts.post({
          type: "workerPaused",
          token: expect(client, message.request),
          workerId: asWorkerId(message.worker_id),
          paused: message.paused,
          now: message.now,
        });
        return;
      case "drain_worker":
        parts.post({
          type: "drainRequested",
          token: expect(client, message.request),
          workerId: asWorkerId(message.worker_id),
          undo: message.undo,
        });
        return;
      case "shutdown":
        shutdown(channel, message);
        return;
      case "goodbye":
        channel.close(1000, message.reason);
        return;
      default:
        throw new Error(`no handler for ${message.type}, though access.ts allows it`);
    }
  }

  async function submitJob(client: Client, message: MessageOf<"submit_job">): Promise<void> {
    const { work } = message.spec;
    if (work.kind === "function" && !(await parts.blobs.has(work.bundle_sha256))) {
      throw new CcError({
        code: "bundle_missing",
        message: "The job's code has not been uploaded.",
        hint: "Offer it with blob_offer first.",
        retryable: true,
      });
    }
    const { owner } = client.channel.peer;
    failpoint("submit-received");
    const token = expect(client, message.request, !message.close);
    parts.post(parts.submissions.submitJob(message, owner, token));
  }

  async function closeJob(client: Client, message: MessageOf<"close_job">): Promise<void> {
    const jobId = asJobId(message.job_id);
    client.openJobs.delete(jobId);
    parts.submissions.forget(jobId);
    const token = expect(client, message.request);
    parts.post({ type: "inputsClosed", token, jobId, count: message.count });
  }

  async function updateJob(client: Client, message: MessageOf<"update_job">): Promise<void> {
    const job = await owned(client, message.job_id);
    const token = expect(client, message.request);
    parts.post({ type: "jobPatched", token, jobId: job.jobId, patch: message.patch });
  }

  async function cancelJob(client: Client, message: MessageOf<"cancel_job">): Promise<void> {
    const job = await owned(client, message.job_id);
    checkIndexes(job, message.index);
    const { jobId } = job;
    parts.post({
      type: "cancelRequested",
      token: expect(client, message.request),
      jobId,
      indexes: message.index ?? null,
      code: message.code ?? "cancelled",
      reason: message.reason ?? "cancelled by request",
    });
  }

  async function retryJob(client: Client, message: MessageOf<"retry_job">): Promise<void> {
    const job = await owned(client, message.job_id);
    checkIndexes(job, message.index);
    const { jobId } = job;
    const stored = parts.isLive(jobId) ? null : await parts.store.readStoredJob(jobId);
    const chosen =
      message.where_code === undefined
        ? (message.index ?? null)
        : await parts.findFailedWith(jobId, message.where_code);
    parts.post({
      type: "retryRequested",
      token: expect(client, message.request),
      jobId,
      indexes: chosen,
      completedToo: message.all,
      patch: message.patch ?? null,
      stored,
    });
  }

  async function removeJob(client: Client, message: MessageOf<"remove_job">): Promise<void> {
    const { jobId } = await owned(client, message.job_id);
    parts.post({ type: "jobRemoved", token: expect(client, message.request), jobId });
  }

  async function owned(client: Client, id: number): Promise<JobFacts> {
    const job = await parts.findJob(asJobId(id));
    if (!job) throw parts.noSuchJob(id);
    const refusal = ownerRefusal(client.channel.peer, job.owner);
    if (refusal) throw refusal;
    return job;
  }

  function shutdown(channel: Channel, message: MessageOf<"shutdown">): void {
    const unfinished = parts.unfinishedJobs();
    if (unfinished > 0 && !message.force) {
      throw new CcError({
        code: "unfinished_jobs",
        message: `The foreman has ${unfinished} unfinished job${unfinished === 1 ? "" : "s"}; they would go on at its next start.`,
        hint: "cc shutdown --yes",
        exitCode: 2,
      });
    }
    channel.send({ type: "done", request: message.request });
    parts.requestShutdown();
  }

  function reply(token: ReplyToken, answer: ForemanAnswer): void {
    const entry = pending.get(token);
    if (!entry) return;
    pending.delete(token);
    const { channel, request, client } = entry;
    if (client.isGone) {
      if (answer.type === "jobAccepted") acceptWithoutSubmitter(channel, answer.jobId);
      return;
    }
    switch (answer.type) {
      case "jobAccepted":
        if (entry.inputsFollow) client.openJobs.add(answer.jobId);
        channel.send({
          type: "job_accepted",
          request,
          job_id: answer.jobId,
          next_index: answer.nextIndex,
          input_crc32: answer.inputCrc32,
          existing: answer.existing,
          credit_bytes: SUBMIT_CREDIT_BYTES,
        });
        failpoint("submit-acked");
        if (answer.existing) parts.post({ type: "submitterAttached", jobId: answer.jobId });
        parts.followers.submitted(channel, answer.jobId);
        return;
      case "tasksAccepted":
        channel.send({
          type: "tasks_accepted",
          request,
          job_id: answer.jobId,
          next_index: answer.nextIndex,
          credit_bytes: SUBMIT_CREDIT_BYTES,
        });
        return;
      case "jobStatus":
        void answerStatus(
          channel,
          request,
          answer.jobId,
          answer.affected,
          answer.reopenSeq,
          answer.note,
        );
        return;
      case "done":
        channel.send({
          type: "done",
          request,
          ...(answer.note === null ? {} : { note: answer.note }),
        });
        return;
      case "refused": {
        const { code, message, hint, retryable } = answer;
        answerError(
          channel,
          request,
          new CcError({ code, message, hint: hint ?? undefined, retryable }),
        );
        return;
      }
    }
  }

  /** It left before it heard of its job: the job is in the state in which it would have left it. */
  function acceptWithoutSubmitter(channel: Channel, jobId: JobId): void {
    parts.submissions.forget(jobId);
    parts.post({ type: "submitterDetached", jobId });
    parts.followers.submitted(channel, jobId);
    parts.followers.drop(channel);
  }

  function refuse(token: ReplyToken, refusal: CcError): void {
    const entry = pending.get(token);
    if (!entry) return;
    pending.delete(token);
    answerError(entry.channel, entry.request, refusal);
  }

  async function answerJob(channel: Channel, request: number, jobId: JobId): Promise<void> {
    const job = await parts.viewJob(jobId);
    if (job) channel.send({ type: "job_status", request, job, affected: 0 });
    else answerError(channel, request, parts.noSuchJob(jobId));
  }

  /** What was asked is done. Retention may have taken a job meanwhile that is not kept any more. */
  async function answerStatus(
    channel: Channel,
    request: number,
    jobId: JobId,
    affected: number,
    reopenSeq: number | null,
    note: string | null,
  ): Promise<void> {
    const job = await parts.viewJob(jobId);
    channel.send({
      type: "job_status",
      request,
      job,
      affected,
      ...(reopenSeq === null ? {} : { reopen_seq: reopenSeq }),
      ...(note === null ? {} : { note }),
    });
  }

  return { open, reply, refuse };
}
