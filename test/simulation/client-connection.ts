/**
 * One client process's way to the foreman: dials until it is through, asks, and tells a lost answer
 * from a refusal. It repeats nothing by itself.
 */
import { CcError } from "../../src/runtime/protocol/error.ts";
import type { Message } from "../../src/runtime/protocol/messages.ts";
import type { Channel } from "../../src/runtime/transport/channel.ts";
import type { Dialler } from "./dialling.ts";
import type { Process } from "./timeline.ts";

/** The connection broke before the answer came: nobody knows whether the request counted. */
export class AnswerLost extends Error {}

export type Question = Message extends infer M
  ? M extends { readonly request: number }
    ? Omit<M, "request">
    : never
  : never;

export interface ClientConnection {
  /**
   * @param first goes out just before, under the same number, and has no answer of its own.
   * @throws AnswerLost, or CcError as the foreman refused it.
   */
  ask(question: Question, first?: Question): Promise<Message>;
}

const ANSWER_WITHIN_MS = 60_000;

export function createClientConnection(parts: {
  readonly process: Process;
  readonly dialler: Dialler;
  readonly redialMs: () => number;
}): ClientConnection {
  const { process, dialler } = parts;
  const waiting = new Map<number, { resolve(answer: Message): void; reject(why: Error): void }>();
  let channel: Promise<Channel> | null = null;
  let nextRequest = 1;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => void process.after(ms, resolve));

  async function connect(): Promise<Channel> {
    for (;;) {
      try {
        return await dialler.dial(() => ({ onMessage, onClose }));
      } catch {
        await pause(parts.redialMs());
      }
    }
  }

  function onMessage(message: Message): void {
    if (!("request" in message) || message.request === undefined) return;
    const entry = waiting.get(message.request);
    if (!entry) return;
    waiting.delete(message.request);
    if (message.type !== "error") entry.resolve(message);
    else {
      const { code, message: text, retryable } = message;
      entry.reject(new CcError({ code, message: text, retryable }));
    }
  }

  function onClose(): void {
    channel = null;
    const lost = [...waiting.values()];
    waiting.clear();
    for (const entry of lost) entry.reject(new AnswerLost("the connection broke"));
  }

  return {
    async ask(question, first) {
      channel ??= connect();
      const open = await channel;
      if (!open.isOpen) {
        await pause(1);
        throw new AnswerLost("the connection broke before");
      }
      const request = nextRequest++;
      return await new Promise<Message>((resolve, reject) => {
        waiting.set(request, { resolve, reject });
        // One that never hears anything hangs up and dials again.
        process.after(ANSWER_WITHIN_MS, () => {
          if (!waiting.has(request)) return;
          open.close(1001, "no answer");
          onClose();
        });
        if (first) open.send({ ...first, request } as Message);
        open.send({ ...question, request } as Message);
      });
    },
  };
}
