/**
 * One connection to a foreman, as requests and answers: any number may be under way, each is answered
 * once, and all fail together when the connection ends. It never reconnects; see link.ts.
 */
import { CcError } from "../protocol/error.ts";
import type { View } from "../protocol/messages/client.ts";
import type { Message, MessageOf } from "../protocol/messages.ts";
import type { Channel, ChannelEnd, ChannelHandler, WelcomeFacts } from "../transport/channel.ts";
import {
  type Answer,
  connectionLost,
  errorOfAnswer,
  type Request,
  type RequestType,
} from "./requests.ts";

export interface Connection {
  readonly url: string;
  readonly welcome: WelcomeFacts | null;
  readonly isOpen: boolean;
  /**
   * Sends and waits for the answer.
   * @throws CcError what the foreman answered instead, or `connection_lost`.
   */
  request<Type extends RequestType>(
    request: Request<Type> & { readonly type: Type },
  ): Promise<Answer<Type>>;
  /** Looks once. */
  look(view: View): Promise<MessageOf<"snapshot">>;
  /** Looks and goes on looking: `onBody` hears the view now and after each change. */
  watch(view: View, onBody: (body: unknown) => void): Promise<Watch>;
  /**
   * As `watch`, told as what changed: the snapshot, then deltas with patches.
   * @throws CcError what the foreman answered instead of a snapshot, or `connection_lost`.
   */
  watchChanges(view: View, listener: ChangeListener): Promise<Watch>;
  /** Sends a piece of a bundle; waits while the peer is slow. */
  sendChunk(chunk: Omit<MessageOf<"blob_chunk">, "type" | "request">): Promise<void>;
  /** A job's code by its hash. @throws CcError `bundle_missing`. */
  readBundle(sha256: string): Promise<Uint8Array>;
  /** Resolves with the reason when the connection has ended, however that came. */
  readonly ended: Promise<CcError>;
  close(): void;
}

export interface Watch {
  stop(): void;
}

export interface ChangeListener {
  onNews(news: MessageOf<"snapshot"> | MessageOf<"delta">, frameBytes: number): void;
  /** The view cannot be shown any more; nothing further comes. */
  onEnd(error: CcError): void;
}

interface Pending {
  readonly resolve: (answer: Message) => void;
  readonly reject: (error: CcError) => void;
}

/** @param open dials, or takes one end of a pair in memory. */
export async function openConnection(
  url: string,
  open: (handler: ChannelHandler) => Promise<Channel>,
): Promise<Connection> {
  const pending = new Map<number, Pending>();
  const watches = new Map<number, ChangeListener>();
  const downloads = new Map<number, Uint8Array[]>();
  const ended = Promise.withResolvers<CcError>();
  let nextRequest = 1;
  let farewell: CcError | null = null;

  const channel = await open({ onMessage, onClose });

  function onMessage(message: Message, frameBytes: number): void {
    if (message.type === "error") {
      onError(message.request, errorOfAnswer(message));
      return;
    }
    if (message.type === "delta" || message.type === "snapshot") {
      // Here and not where the answer is awaited: a delta may come in the same turn.
      watches.get(message.request)?.onNews(message, frameBytes);
      if (message.type === "delta") return;
    }
    if (message.type === "blob_chunk") {
      downloads.get(message.request)?.push(message.data);
      return;
    }
    if (!("request" in message) || message.request === undefined) return;
    settle(message.request)?.resolve(message);
  }

  function onError(request: number | undefined, error: CcError): void {
    if (request === undefined) {
      farewell = error;
      return;
    }
    const asked = settle(request);
    if (asked) {
      asked.reject(error);
      return;
    }
    // Whoever waits for the answer hears it there; a view that ends later has only its listener.
    const listener = watches.get(request);
    watches.delete(request);
    listener?.onEnd(error);
  }

  function onClose(end: ChannelEnd): void {
    const error = farewell ?? connectionLost(url, end.reason);
    for (const entry of pending.values()) entry.reject(error);
    pending.clear();
    watches.clear();
    ended.resolve(error);
  }

  function settle(request: number): Pending | undefined {
    const entry = pending.get(request);
    pending.delete(request);
    return entry;
  }

  function ask(request: number, message: Message): Promise<Message> {
    if (!channel.isOpen) return Promise.reject(connectionLost(url, ""));
    return new Promise((resolve, reject) => {
      pending.set(request, { resolve, reject });
      channel.send(message);
    });
  }

  async function subscribe(view: View, listener: ChangeListener, patches: boolean): Promise<Watch> {
    const request = nextRequest++;
    watches.set(request, listener);
    try {
      await ask(request, {
        type: "subscribe",
        request,
        view,
        follow: true,
        ...(patches ? { patches } : {}),
      });
    } catch (thrown) {
      watches.delete(request);
      throw thrown;
    }
    return {
      stop() {
        if (watches.delete(request)) channel.send({ type: "unsubscribe", request });
      },
    };
  }

  const connection: Connection = {
    url,
    welcome: channel.welcome,
    get isOpen() {
      return channel.isOpen;
    },
    ended: ended.promise,
    async request<Type extends RequestType>(request: Request<Type> & { readonly type: Type }) {
      const number = nextRequest++;
      // The union of requests, completed by its number, is the union of messages with a number.
      const answer = await ask(number, { ...request, request: number } as unknown as Message);
      // The foreman answers each type with its own; requests.ts says which.
      return answer as Answer<Type>;
    },
    look: (view) => connection.request({ type: "subscribe", view, follow: false }),
    watch: (view, onBody) =>
      subscribe(view, { onNews: ({ body }) => onBody(body), onEnd: () => {} }, false),
    watchChanges: (view, listener) => subscribe(view, listener, true),
    async sendChunk(chunk) {
      channel.send({ type: "blob_chunk", request: 0, ...chunk });
      await channel.drained();
      if (!channel.isOpen) throw await ended.promise;
    },
    async readBundle(sha256) {
      const request = nextRequest++;
      const chunks: Uint8Array[] = [];
      downloads.set(request, chunks);
      try {
        await ask(request, { type: "blob_need", request, sha256 });
        return Buffer.concat(chunks);
      } finally {
        downloads.delete(request);
      }
    },
    close() {
      channel.close(1000, "done");
    },
  };
  return connection;
}

/** An answer whose body cannot be what the protocol says is a fault of the peer. */
export function bodyOf<Body>(snapshot: MessageOf<"snapshot">): Body {
  if (typeof snapshot.body !== "object") {
    throw new CcError({
      code: "malformed_message",
      message: "The foreman answered with a view that has no body.",
      exitCode: 3,
    });
  }
  // The foreman writes views.ts shapes; they are shown, never acted on without a check.
  return snapshot.body as Body;
}
