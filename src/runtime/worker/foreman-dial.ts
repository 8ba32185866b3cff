/**
 * Which foreman a worker dials. A given address is the only one; without one each try begins with the
 * address that a foreman has noted in the account's default store, so that a foreman that comes back
 * on another port is found again.
 */
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { toCcError } from "../protocol/error.ts";
import { readNotedUrl } from "../store/folder.ts";
import { dial } from "../transport/client.ts";
import type { Key } from "../transport/keys.ts";
import type { ForemanLinkOptions } from "./foreman-link.ts";

export const DEFAULT_URL = "ws://127.0.0.1:9000";

export interface ForemanDialOptions {
  /** Null: nobody named one. */
  readonly url: string | null;
  readonly defaultStore: string;
  readonly key: Key;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createForemanDial(options: ForemanDialOptions): ForemanLinkOptions["dial"] {
  const { key, clock, logger } = options;
  return async (handler, signal) => {
    const dialOne = (url: string) =>
      dial({ url, key, role: "worker", handler, signal, clock, logger });
    if (options.url !== null) return await dialOne(options.url);
    const noted = readNotedUrl(options.defaultStore);
    if (noted === null || noted === DEFAULT_URL) return await dialOne(DEFAULT_URL);
    try {
      return await dialOne(noted);
    } catch (thrown) {
      // The note may have outlived its foreman, and the port may be another program's by now.
      const { code } = toCcError(thrown);
      if (code !== "foreman_unreachable" && code !== "not_a_foreman") throw thrown;
      return await dialOne(DEFAULT_URL).catch((second: unknown) => {
        // With nobody at either, the one that was here is the one that is missed.
        throw toCcError(second).code === "foreman_unreachable" ? thrown : second;
      });
    }
  };
}

/** As the log names it. */
export function describeForeman({
  url,
  defaultStore,
}: Pick<ForemanDialOptions, "url" | "defaultStore">): string {
  return url ?? readNotedUrl(defaultStore) ?? DEFAULT_URL;
}
