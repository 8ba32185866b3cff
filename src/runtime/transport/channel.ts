/**
 * The seam between whoever speaks and whatever carries: an authenticated, ordered pipe of messages.
 * A WebSocket is one (either sub-protocol), a pair in memory another; nobody above can tell.
 */
import type { Message } from "../protocol/messages.ts";

/** Who is at the other end, as the handshake proved it. */
export interface Peer {
  readonly role: "client" | "worker" | "foreman";
  readonly keyId: string;
  /** Under which the key's submissions stand. */
  readonly owner: string;
  readonly scopes: readonly Scope[];
  /** Of the socket, for logs. */
  readonly address: string;
  readonly programVersion: string;
}

export type Scope = "view" | "submit" | "work" | "admin";

export interface Channel {
  readonly peer: Peer;
  /** What the foreman said at welcome; only on a channel that was dialled. */
  readonly welcome: WelcomeFacts | null;
  /** Queues a message; order is kept, nothing blocks. Sending on a closed channel does nothing. */
  send(message: Message): void;
  /** Bytes that wait here for the peer to read. */
  queuedBytes(): number;
  /** Resolves when `queuedBytes()` is below half of SEND_QUEUE_BYTES_MAX, or the channel is closed. */
  drained(): Promise<void>;
  /** Stops reading, so that the peer feels back-pressure. */
  pause(): void;
  resume(): void;
  /** 1000 orderly; 1002, 1003, 1007, 1008, 1009 with the reason why. */
  close(code: number, reason: string): void;
  readonly isOpen: boolean;
}

export interface WelcomeFacts {
  readonly foremanId: string;
  readonly epoch: number;
  readonly owner: string;
  readonly programVersion: string;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** What it can do beyond the least; absent: nothing. */
  readonly features?: readonly string[];
}

/** What the owner of a channel is told; `onClose` comes exactly once, last. */
export interface ChannelHandler {
  /** `frameBytes` is the frame's size, for credit. A throw closes the channel with 1002 and the reason. */
  onMessage(message: Message, frameBytes: number): void;
  onClose(end: ChannelEnd): void;
}

export interface ChannelEnd {
  readonly code: number;
  readonly reason: string;
  /** We closed it ourselves. */
  readonly byUs: boolean;
}
