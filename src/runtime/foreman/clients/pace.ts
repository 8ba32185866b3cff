/**
 * Reads no peer faster than what it asks for gets done. Each message weighs what it may make us hold:
 * its own bytes until its event is committed, and the answer while that is put together. A channel with
 * too much under way, or whose peer does not read its answers, is not read until there is less; nobody
 * else waits for it, and nothing of it is dropped. It must never hold a channel back for good.
 */

import { SEND_QUEUE_BYTES_MAX, SUBMIT_CREDIT_BYTES } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/messages.ts";
import type { Channel, ChannelHandler } from "../../transport/channel.ts";

/** As a `ChannelHandler`, but says when a message's work is done, where that is later. */
export interface PacedHandler {
  onMessage(message: Message, frameBytes: number): Promise<void> | void;
  onClose: ChannelHandler["onClose"];
}

/** An honest submitter fills its credit; more than that is not read before some of it is committed. */
const HELD_BYTES_MAX = SUBMIT_CREDIT_BYTES + 1024 * 1024;
/** What a small message costs besides its bytes: its event, its changes, its answer. */
const MESSAGE_BYTES = 64 * 1024;
/** What the answer to a question may take while it is put together. */
const ANSWER_BYTES = 4 * 1024 * 1024;

const QUESTIONS: ReadonlySet<Message["type"]> = new Set([
  "read_results",
  "read_output",
  "read_logs",
  "subscribe",
  "blob_need",
]);

/** @param performed Resolves when all that was posted until now is committed and answered. */
export function paceChannel(
  channel: Channel,
  handler: PacedHandler,
  performed: () => Promise<void> | null,
): ChannelHandler {
  /** Came in one piece with the message after which nothing more was to be read. */
  const waiting: Arrived[] = [];
  let heldBytes = 0;
  let isHeldBack = false;

  function take({ message, frameBytes }: Arrived): void {
    const work = handler.onMessage(message, frameBytes);
    const isSlow = channel.queuedBytes() > SEND_QUEUE_BYTES_MAX;
    if (work === undefined && performed() === null && !isSlow) return;
    const weight = MESSAGE_BYTES + frameBytes + (QUESTIONS.has(message.type) ? ANSWER_BYTES : 0);
    heldBytes += weight;
    if (!isHeldBack && (isSlow || heldBytes > HELD_BYTES_MAX)) {
      isHeldBack = true;
      channel.pause();
    }
    void whenDone(work, performed).then(() => {
      heldBytes -= weight;
      if (isHeldBack) void letGoOn();
    });
  }

  async function letGoOn(): Promise<void> {
    if (heldBytes > HELD_BYTES_MAX / 2) return;
    if (channel.queuedBytes() > SEND_QUEUE_BYTES_MAX) await channel.drained();
    if (!isHeldBack || heldBytes > HELD_BYTES_MAX / 2) return;
    isHeldBack = false;
    while (!isHeldBack) {
      const next = waiting.shift();
      if (next === undefined) return channel.resume();
      take(next);
    }
  }

  return {
    onMessage(message, frameBytes) {
      if (isHeldBack) waiting.push({ message, frameBytes });
      else take({ message, frameBytes });
    },
    onClose(end) {
      isHeldBack = false;
      // What it has said counts, also of a peer that has left; only nobody is there to be answered.
      for (const { message, frameBytes } of waiting.splice(0)) {
        if (!QUESTIONS.has(message.type)) void handler.onMessage(message, frameBytes);
      }
      handler.onClose(end);
    },
  };
}

interface Arrived {
  readonly message: Message;
  readonly frameBytes: number;
}

/** What its work has posted meanwhile counts, too. */
async function whenDone(
  work: Promise<void> | void,
  performed: () => Promise<void> | null,
): Promise<void> {
  if (work !== undefined) await work;
  await performed();
}
