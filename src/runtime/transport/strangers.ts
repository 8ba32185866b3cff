/**
 * Connections that have not proved a key: how many there may be from each address, and how long each
 * may take. A connection stops being a stranger when it is admitted, has sent its HTTP request, or goes.
 */
import type { Socket } from "node:net";
import type { Clock, Timer } from "../platform/clock.ts";
import { plainAddress } from "./host-rules.ts";

export interface Strangers {
  /** False where the address has too many already; the connection is not counted then. */
  enter(socket: Socket): boolean;
  /** The way to end this stranger at its deadline, in place of destroying the socket. */
  setCutOff(socket: Socket, cutOff: () => void): void;
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
  readonly address: string;
  readonly timer: Timer;
  cutOff: () => void;
}

export function createStrangers({ clock, deadlineMs, perAddressMax }: StrangersOptions): Strangers {
  const strangers = new Map<Socket, Stranger>();
  const countByAddress = new Map<string, number>();

  const release = (socket: Socket): void => {
    const stranger = strangers.get(socket);
    if (!stranger) return;
    strangers.delete(socket);
    stranger.timer.cancel();
    const left = (countByAddress.get(stranger.address) ?? 1) - 1;
    if (left === 0) countByAddress.delete(stranger.address);
    else countByAddress.set(stranger.address, left);
  };

  return {
    enter(socket) {
      const address = addressOf(socket);
      const count = countByAddress.get(address) ?? 0;
      if (count >= perAddressMax) return false;
      countByAddress.set(address, count + 1);
      const onOverdue = (): void => strangers.get(socket)?.cutOff();
      const timer = clock.setTimer(deadlineMs, onOverdue, { holdsProcess: false });
      strangers.set(socket, { address, timer, cutOff: () => socket.destroy() });
      socket.once("close", () => release(socket));
      return true;
    },
    setCutOff(socket, cutOff) {
      const stranger = strangers.get(socket);
      if (stranger) stranger.cutOff = cutOff;
    },
    release,
    get count() {
      return strangers.size;
    },
  };
}

/** The socket's peer; empty once it is gone. */
export function addressOf(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? "");
}
