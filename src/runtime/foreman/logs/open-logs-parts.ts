/**
 * The logs of a store's folder as a foreman uses them. Whatever is wrong with them, the foreman starts: what
 * is damaged is set aside, and where nothing can be written, logs live in memory until its end.
 */
import type { Logger } from "../../platform/logger.ts";
import { toCcError } from "../../protocol/error.ts";
import {
  logsFile,
  openLogsForReading,
  openLogsForWriting,
  openLogsInMemory,
  setLogsAside,
} from "../../store/logs/open-logs.ts";
import type { LogsParts } from "./log-desk.ts";
import { defaultLogQuota } from "./log-room.ts";

/** Of logs that only memory holds. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** @param bytesMax null: the default of this disk. */
export async function openLogsParts(
  storeFolder: string,
  { bytesMax, logger }: { readonly bytesMax: number | null; readonly logger: Logger },
): Promise<LogsParts> {
  const quotaBytes = bytesMax ?? defaultLogQuota(storeFolder);
  try {
    const { store, setAside } = await openLogsForWriting(storeFolder);
    if (setAside !== null) {
      const { path, reason } = setAside;
      logger.warn("the logs of tasks are damaged and begin anew", { set_aside: path, reason });
    }
    return { store, quotaBytes, setAside, reopen: () => reopen(storeFolder) };
  } catch (thrown) {
    const { code, message } = toCcError(thrown);
    logger.error("logs of tasks are kept in memory only", { code, reason: message });
    return { store: await openLogsInMemory(), quotaBytes: MEMORY_BYTES_MAX };
  }
}

/** For looking at a store without a foreman. */
export async function openLogsPartsForReading(storeFolder: string): Promise<LogsParts> {
  const store = (await openLogsForReading(storeFolder)) ?? (await openLogsInMemory());
  return { store, quotaBytes: null, isReadOnly: true };
}

/** The broken one is left as it is: closing it might write to what is damaged. */
async function reopen(storeFolder: string): Promise<{
  readonly store: LogsParts["store"];
  readonly setAside: string;
}> {
  const path = logsFile(storeFolder);
  const setAside = setLogsAside(path) ?? path;
  try {
    return { store: (await openLogsForWriting(storeFolder)).store, setAside };
  } catch {
    return { store: await openLogsInMemory(), setAside };
  }
}
