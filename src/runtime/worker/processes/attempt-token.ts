/**
 * Tokens that mark the processes of an attempt. Each attempt's environment carries one, so that a
 * sweep of the process table finds what called setsid or daemonised. All tokens of one worker boot
 * share a random prefix: after the worker's death the watchdog finds everything by it alone.
 */
import { randomBytes } from "node:crypto";

export const ATTEMPT_TOKEN_VARIABLE = "CC_ATTEMPT_TOKEN";

/** `PREFIX.NUMBER`; the number grows with each attempt of this boot. */
export type AttemptToken = string;

/** Which tokens a sweep may end: every number up to `allocated` that is not in `live`. */
export interface TokenCensus {
  readonly prefix: string;
  readonly allocated: number;
  readonly live: readonly number[];
}

export interface AttemptTokens {
  readonly prefix: string;
  /** A new token; it is live until `release`. */
  allocate(): AttemptToken;
  /** The attempt's tree has been ended: what still holds the token is a leftover. */
  release(token: AttemptToken): void;
  census(): TokenCensus;
}

export function createAttemptTokens(): AttemptTokens {
  const prefix = randomBytes(16).toString("hex");
  const live = new Set<number>();
  let allocated = 0;
  return {
    prefix,
    allocate() {
      live.add(++allocated);
      return `${prefix}.${allocated}`;
    },
    release(token) {
      live.delete(tokenNumber(token));
    },
    census: () => ({ prefix, allocated, live: [...live] }),
  };
}

export function tokenNumber(token: AttemptToken): number {
  return Number(token.slice(token.lastIndexOf(".") + 1));
}
