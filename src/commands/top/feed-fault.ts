/** Refusals and faults as the monitor shows them. */
import { type CcError, toCcError } from "../../runtime/protocol/error.ts";
import type { FeedError } from "../../tui/feed.ts";

/** What the feed's promises are rejected with. */
export class FeedFault extends Error implements FeedError {
  readonly code: string;
  readonly hint: string | null;
  readonly retryable: boolean;

  constructor({ code, message, hint, retryable }: FeedError) {
    super(message);
    this.name = "FeedFault";
    this.code = code;
    this.hint = hint;
    this.retryable = retryable;
  }
}

export function feedError(thrown: unknown): FeedError {
  const { code, message, hint, retryable } = toCcError(thrown);
  return { code, message, hint: hint ?? null, retryable };
}

/** Awaits what the foreman does; what it refuses is thrown in the monitor's form. */
export async function orFault<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (thrown) {
    throw new FeedFault(feedError(thrown));
  }
}

/** Why this key shows nothing; any other error stays as it is. */
export function aboutKey(error: CcError, adminKeyFile: string): FeedError {
  const known = feedError(error);
  switch (error.code) {
    case "wrong_role":
    case "forbidden":
      return {
        ...known,
        message: `This key may not look. ${error.message}`,
        hint: `A key with the scope view may; on the foreman's account that is --key-file ${adminKeyFile}`,
      };
    case "wrong_key":
    case "foreman_mismatch":
      return {
        ...known,
        hint: `Give the key that belongs to this foreman; on its own account that is --key-file ${adminKeyFile}`,
      };
    default:
      return known;
  }
}
