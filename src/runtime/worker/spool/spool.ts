/**
 * The spool: results that are finished and not acknowledged, on disk beside the worker's lock, so that
 * the next boot under the same name can deliver them. A file is written apart, synced and renamed, and
 * goes with its acknowledgement. Everything here happens beside the sending, off the event loop, one
 * file at a time; a spool that cannot be written only means that results stay in memory alone.
 *
 * An entry's life: waiting (counted, not written) -> written -> dropped, or waiting -> dropped.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../platform/logger.ts";
import { toCcError } from "../../protocol/error.ts";
import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import type { SpooledResult } from "../../scheduler/agent/state.ts";
import { decodeSpoolFile, encodeSpoolFile } from "./spool-file.ts";

/** Only what runs for seconds is spooled, so even a busy worker has few; beyond this memory must do. */
export const SPOOL_FILES_MAX = 1_000;
export const SPOOL_BYTES_MAX = 256 * 1024 * 1024;
/** Files set aside are for a person; of more than these nobody would look at the oldest. */
const ASIDE_FILES_MAX = 16;
/** A message of at most this many bytes and its header. */
const FILE_BYTES_MAX = FRAME_BYTES_MAX + 4_096;

const RESULT = ".result";
const UNFINISHED = ".part";
const ASIDE = ".aside";
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

export interface Spool {
  /** What earlier boots left, in the order in which they finished. */
  readonly recovered: readonly SpooledResult[];
  /** Begins to write it; beyond the bounds nothing is written. */
  keep(result: SpooledResult): void;
  drop(spoolIds: readonly number[]): void;
  setAside(spoolIds: readonly number[], reason: string): void;
  /** Resolves when all that was asked for is on disk, or has failed. */
  settled(): Promise<void>;
}

export interface SpoolOptions {
  /** Of this worker alone; its lock must be held. */
  readonly folder: string;
  readonly workerId: string;
  readonly logger: Logger;
  readonly filesMax?: number;
  readonly bytesMax?: number;
}

interface Entry {
  readonly path: string;
  readonly byteCount: number;
}

/** Reads what is there; a folder that cannot be used is logged, and then nothing is ever spooled. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, workerId, logger } = options;
  const { filesMax = SPOOL_FILES_MAX, bytesMax = SPOOL_BYTES_MAX } = options;
  const entries = new Map<number, Entry>();
  const recovered: SpooledResult[] = [];
  let byteCount = 0;
  let isFull = false;
  let tail: Promise<void> = Promise.resolve();

  /** One after the other; a failure concerns its own file only. */
  function later(act: () => Promise<void>, meaning: string): void {
    tail = tail.then(act).catch((thrown: unknown) => {
      logger.warn(meaning, { folder, reason: toCcError(thrown).message });
    });
  }

  function add(spoolId: number, entry: Entry): void {
    entries.set(spoolId, entry);
    byteCount += entry.byteCount;
  }

  function forget(spoolId: number): Entry | null {
    const entry = entries.get(spoolId);
    if (entry === undefined) return null;
    entries.delete(spoolId);
    byteCount -= entry.byteCount;
    isFull = false;
    return entry;
  }

  function keep({ spoolId, foremanId, message }: SpooledResult): void {
    const size = message.value.data.byteLength;
    if (entries.size >= filesMax || byteCount + size > bytesMax) {
      if (!isFull) logger.warn("the spool is full: results stay in memory alone", { folder });
      isFull = true;
      return;
    }
    const path = join(folder, `${nameOf(spoolId)}${RESULT}`);
    add(spoolId, { path, byteCount: size });
    later(async () => {
      // Acknowledged while it waited: the usual end of a short queue.
      if (!entries.has(spoolId)) return;
      try {
        await writeDurably(folder, path, encodeSpoolFile({ workerId, foremanId, message }));
      } catch (thrown) {
        forget(spoolId);
        throw thrown;
      }
    }, "a result cannot be spooled and stays in memory alone");
  }

  function drop(spoolIds: readonly number[]): void {
    for (const spoolId of spoolIds) {
      const entry = forget(spoolId);
      if (entry === null) continue;
      // Behind its own writing; never written, it is not there, which is as good.
      later(() => rm(entry.path, { force: true }), "a spooled result cannot be removed");
    }
  }

  function setAside(spoolIds: readonly number[], reason: string): void {
    for (const spoolId of spoolIds) {
      const entry = forget(spoolId);
      if (entry !== null) later(() => moveAside(entry.path, reason), "a file stays in the spool");
    }
  }

  async function moveAside(path: string, reason: string): Promise<void> {
    logger.warn("a file in the spool is set aside", { file: path, reason });
    await rename(path, `${path}${ASIDE}`);
    const names = (await readdir(folder)).filter((name) => name.endsWith(ASIDE)).sort();
    for (const name of names.slice(0, -ASIDE_FILES_MAX)) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  async function recover(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(folder)).filter((name) => !name.endsWith(ASIDE)).sort();
    for (const name of names) {
      const path = join(folder, name);
      // Nothing was ever promised of what was not renamed.
      if (name.endsWith(UNFINISHED)) await rm(path, { recursive: true, force: true });
      else if (entries.size < filesMax && byteCount < bytesMax) await recoverFile(name, path);
    }
  }

  async function recoverFile(name: string, path: string): Promise<void> {
    try {
      const spoolId = spoolIdOf(name);
      const bytes = await readRegular(path);
      const { foremanId, message } = decodeSpoolFile(bytes, workerId);
      recovered.push({ spoolId, foremanId, message });
      add(spoolId, { path, byteCount: message.value.data.byteLength });
    } catch (thrown) {
      await moveAside(path, toCcError(thrown).message);
    }
  }

  later(recover, "the spool cannot be used");
  await tail;
  return { recovered, keep, drop, setAside, settled: () => tail };
}

/** Sorted as text they are sorted as numbers. */
const nameOf = (spoolId: number): string => String(spoolId).padStart(12, "0");

/** @throws Error for a name that is none of ours. */
function spoolIdOf(name: string): number {
  if (!/^\d{12}\.result$/.test(name)) throw new Error("its name is not that of a spooled result");
  return Number(name.slice(0, 12));
}

/** Either the whole file is there under its name, also after a power failure, or none. */
async function writeDurably(
  folder: string,
  path: string,
  parts: readonly Uint8Array[],
): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  try {
    await using(
      await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
      async (file) => {
        for (const part of parts) await writeAll(file, part);
        await file.sync();
      },
    );
    await rename(unfinished, path);
  } catch (thrown) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw thrown;
  }
  await using(await open(folder, O_RDONLY), (directory) => directory.sync());
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at);
    at += bytesWritten;
  }
}

/** @throws Error when it is no regular file, or too large to be one of ours. */
async function readRegular(path: string): Promise<Uint8Array> {
  const facts = await lstat(path);
  if (!facts.isFile()) throw new Error("it is no regular file");
  if (facts.size > FILE_BYTES_MAX) throw new Error(`its ${facts.size} bytes are too many`);
  return await using(await open(path, O_RDONLY | O_NOFOLLOW), (file) => file.readFile());
}

async function using<Result>(
  file: FileHandle,
  use: (file: FileHandle) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
