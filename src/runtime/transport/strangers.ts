/**
 * Connections that have not proved a key: how many there may be from each address, and how long each
 * may take. A connection stops being a stranger when it is admitted, has sent its HTTP request, or goes.
 * At the limit the oldest has to go, not the newcomer: an honest peer needs a few milliseconds, so
 * silent connections kept open on purpose cannot shut it out.
 */
import type { Socket } from "node:net";
import type { Clock, Timer } from "../platform/clock.ts";
import { plainAddress } from "./host-rules.ts";

export interface Strangers {
  enter(socket: Socket): void;
  /** The way to end this stranger, in place of destroying the socket. */
  setCutOff(socket: Socket, cutOff: (reason: string) => void): void;
  /** It is none any more; harmless when repeated. */
  release(socket: Socket): void;
  readonly count: number;
}

export interface StrangersOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly perAddressMax: number;
}

interface Stranger {
  readonly timer: Timer;
  cutOff: (reason: string) => void;
}

const TOO_MANY = "too many connections from this address have not authenticated";
const TOO_SLOW = "did not authenticate in time";

export function createStrangers({ clock, deadlineMs, perAddressMax }: StrangersOptions): Strangers {
  const strangers = new Map<Socket, Stranger>();
  /** The oldest first, as a Set keeps them. */
  const socketsByAddress = new Map<string, Set<Socket>>();

  const release = (socket: Socket, address: string): void => {
    strangers.get(socket)?.timer.cancel();
    strangers.delete(socket);
    const sockets = socketsByAddress.get(address);
    sockets?.delete(socket);
    if (sockets?.size === 0) socketsByAddress.delete(address);
  };
  const cutOff = (socket: Socket, address: string, reason: string): void => {
    const stranger = strangers.get(socket);
    release(socket, address);
    stranger?.cutOff(reason);
  };

  return {
    enter(socket) {
      const address = addressOf(socket);
      const sockets = socketsByAddress.get(address) ?? new Set();
      const [oldest] = sockets;
      if (oldest && sockets.size >= perAddressMax) cutOff(oldest, address, TOO_MANY);
      socketsByAddress.set(address, sockets.add(socket));
      const onOverdue = (): void => cutOff(socket, address, TOO_SLOW);
      const timer = clock.setTimer(deadlineMs, onOverdue, { holdsProcess: false });
      strangers.set(socket, { timer, cutOff: () => socket.destroy() });
      socket.once("close", () => release(socket, address));
    },
    setCutOff(socket, cutOff) {
      const stranger = strangers.get(socket);
      if (stranger) stranger.cutOff = cutOff;
    },
    release: (socket) => release(socket, addressOf(socket)),
    get count() {
      return strangers.size;
    },
  };
}

/** The socket's peer; empty once it is gone. */
export function addressOf(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? "");
}
