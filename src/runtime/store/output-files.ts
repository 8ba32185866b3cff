/**
 * Stdouts that are too large for the database: one file a task attempt below `artifacts/`, in a folder a
 * job. Names are made of numbers alone. What a write resolves for is on disk; nothing here knows which
 * files a result refers to, and what is not named like one of ours is left alone.
 */
import { constants } from "node:fs";
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rm,
  rmdir,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { storageFailed, storageFull } from "./storage-error.ts";

export interface OutputName {
  readonly jobId: number;
  readonly index: number;
  readonly attempt: number;
  readonly assignment: number;
}

export interface OutputFile extends OutputName {
  readonly byteCount: number;
}

export interface OutputFiles {
  /** All that are here. */
  list(): Promise<readonly OutputFile[]>;
  /**
   * Puts the bytes at their place and syncs them; `full`: the disk has no room for all of them.
   * @throws CcError `storage_failed`.
   */
  write(name: OutputName, firstByte: number, parts: readonly Uint8Array[]): Promise<"ok" | "full">;
  /** At most so many bytes from there on; null when there is no such file. */
  read(name: OutputName, firstByte: number, bytesMax: number): Promise<Uint8Array | null>;
  /** What is gone already is no error. */
  remove(name: OutputName): Promise<void>;
  removeJob(jobId: number): Promise<void>;
  /** Folders of jobs in which nothing is left. */
  removeEmptyFolders(): Promise<void>;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY, COPYFILE_FICLONE } =
  constants;
const FILE_NAME = /^(\d+)-(\d+)-(\d+)\.stdout$/;
const FOLDER_NAME = /^[1-9]\d*$/;

/** @param folder `artifacts` of a store; it need not exist as long as nothing is written. */
export function openOutputFiles(folder: string): OutputFiles {
  const folderOf = (jobId: number): string => join(folder, String(jobId));
  const pathOf = (name: OutputName): string => join(folderOf(name.jobId), fileNameOf(name));

  async function openForWriting(name: OutputName): Promise<FileHandle> {
    const path = pathOf(name);
    try {
      return await open(path, O_WRONLY | O_NOFOLLOW);
    } catch (thrown) {
      if (codeOf(thrown) !== "ENOENT") throw thrown;
    }
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    try {
      // Its name must be as durable as its bytes, and so must the folder's.
      for (const made of [dirname(path), folder]) await syncFolder(made);
      return file;
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  return {
    list: () => listFiles(folder),
    async write(name, firstByte, parts) {
      try {
        const file = await openForWriting(name);
        try {
          await writeAll(file, firstByte, parts);
          await file.datasync();
        } finally {
          await file.close();
        }
        return "ok";
      } catch (thrown) {
        if (isOutOfRoom(thrown)) return "full";
        throw storageFailed(`write ${pathOf(name)}`, thrown);
      }
    },
    read: (name, firstByte, bytesMax) => readPart(pathOf(name), firstByte, bytesMax),
    async remove(name) {
      try {
        // The folder stays until its job goes: another file may just come into it.
        await unlink(pathOf(name));
      } catch (thrown) {
        if (codeOf(thrown) !== "ENOENT") throw thrown;
      }
    },
    removeJob: (jobId) => rm(folderOf(jobId), { recursive: true, force: true }),
    async removeEmptyFolders() {
      for (const job of await entriesOf(folder)) {
        // One with anything in it stays.
        if (FOLDER_NAME.test(job)) await rmdir(join(folder, job)).catch(() => {});
      }
    },
  };
}

export const fileNameOf = ({ index, attempt, assignment }: OutputName): string =>
  `${index}-${attempt}-${assignment}.stdout`;

/**
 * Copies what is missing there or has another length; a file that goes meanwhile is left out. To be
 * called before and after the database is copied, so that the copy has what its results refer to.
 * @returns the bytes that are there now.
 * @throws CcError `storage_full`, `storage_failed`.
 */
export async function copyOutputs(from: string, to: string): Promise<number> {
  const there = new Map((await listFiles(to)).map((file) => [keyOf(file), file.byteCount]));
  for (const file of await listFiles(from)) {
    if (there.get(keyOf(file)) === file.byteCount) continue;
    const target = join(to, String(file.jobId), fileNameOf(file));
    await mkdir(dirname(target), { recursive: true, mode: FOLDER_MODE });
    try {
      await copyFile(join(from, String(file.jobId), fileNameOf(file)), target, COPYFILE_FICLONE);
      there.set(keyOf(file), (await stat(target)).size);
    } catch (thrown) {
      if (isOutOfRoom(thrown)) throw storageFull(`write ${target}`, thrown);
      if (codeOf(thrown) !== "ENOENT") throw storageFailed(`copy ${target}`, thrown);
    }
  }
  return [...there.values()].reduce((sum, byteCount) => sum + byteCount, 0);
}

const keyOf = (name: OutputName): string => `${name.jobId}/${fileNameOf(name)}`;

async function listFiles(folder: string): Promise<readonly OutputFile[]> {
  const found: OutputFile[] = [];
  for (const job of await entriesOf(folder)) {
    if (!FOLDER_NAME.test(job)) continue;
    for (const name of await entriesOf(join(folder, job))) {
      const file = await fileOf(folder, job, name);
      if (file !== null) found.push(file);
    }
  }
  return found;
}

async function fileOf(folder: string, job: string, name: string): Promise<OutputFile | null> {
  const match = FILE_NAME.exec(name);
  if (match === null) return null;
  const [index, attempt, assignment] = match.slice(1).map(Number) as [number, number, number];
  try {
    const { size } = await stat(join(folder, job, name));
    return { jobId: Number(job), index, attempt, assignment, byteCount: size };
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    throw thrown;
  }
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return [];
    throw thrown;
  }
}

async function writeAll(
  file: FileHandle,
  firstByte: number,
  parts: readonly Uint8Array[],
): Promise<void> {
  let at = firstByte;
  for (const part of parts) {
    for (let from = 0; from < part.byteLength; ) {
      const { bytesWritten } = await file.write(part, from, part.byteLength - from, at);
      from += bytesWritten;
      at += bytesWritten;
    }
  }
}

async function readPart(
  path: string,
  firstByte: number,
  bytesMax: number,
): Promise<Uint8Array | null> {
  let file: FileHandle;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    throw thrown;
  }
  try {
    const bytes = new Uint8Array(bytesMax);
    let held = 0;
    while (held < bytesMax) {
      const { bytesRead } = await file.read(bytes, held, bytesMax - held, firstByte + held);
      if (bytesRead === 0) break;
      held += bytesRead;
    }
    return bytes.subarray(0, held);
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const codeOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException).code ?? "";

const isOutOfRoom = (thrown: unknown): boolean =>
  codeOf(thrown) === "ENOSPC" || codeOf(thrown) === "EDQUOT";
