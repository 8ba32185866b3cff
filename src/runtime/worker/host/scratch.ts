/**
 * Fresh folders for attempts and the files their inputs lie in, below the worker's cache folder and
 * readable by this account alone. Everything is removed at the end; what a killed worker has left is
 * removed by the next one on the same machine.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { chmod, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { CcError } from "../../protocol/error.ts";
import { startTicksOf } from "../processes/process-table.ts";

export interface ScratchSpace {
  readonly folder: string;
  /** A fresh folder of mode 0700. @throws CcError `worker_storage` */
  createFolder(): string;
  /**
   * Writes an input to the slot's own file, which is overwritten by the slot's next task: that costs
   * 3 µs where a new file each costs 14. @throws CcError `worker_storage`
   */
  writeInput(slot: number, input: Uint8Array): string;
  /** Removes a folder with all that is in it; resolves when it has gone. */
  removeFolder(folder: string): Promise<void>;
  close(): Promise<void>;
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** @throws CcError `worker_storage` when the cache folder cannot be written. */
export function openScratchSpace(cacheFolder: string): ScratchSpace {
  const parent = join(cacheFolder, "scratch");
  const folder = join(parent, ownName());
  guarded(parent, () => mkdirSync(parent, { recursive: true, mode: 0o700 }));
  removeLeftovers(parent);
  guarded(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  let folderCount = 0;
  return {
    folder,
    createFolder() {
      const path = join(folder, `task-${++folderCount}`);
      guarded(path, () => mkdirSync(path, { mode: 0o700 }));
      return path;
    },
    writeInput(slot, input) {
      const path = join(folder, `input-${slot}`);
      guarded(path, () => overwrite(path, input));
      return path;
    },
    removeFolder: removeTree,
    close: () => removeTree(folder),
  };
}

/** A task may have put a link or a pipe where its input was: neither is written through. */
function overwrite(path: string, input: Uint8Array): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch {
    rmSync(path, { recursive: true, force: true });
    descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  }
  try {
    for (let at = 0; at < input.byteLength; ) at += writeSync(descriptor, input, at);
    // Not O_TRUNC before: ext4 then writes the file out at once, which takes it 70 µs to 1 ms.
    ftruncateSync(descriptor, input.byteLength);
  } finally {
    closeSync(descriptor);
  }
}

/** A task may have taken the permissions off its own folders; then they are given back first. */
async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 2 });
  } catch {
    await makeRemovable(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 2 });
  }
}

async function makeRemovable(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => {});
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeRemovable(join(folder, entry.name));
  }
}

/** Host, process and its start: a cache folder may be shared by machines, and numbers come again. */
function ownName(): string {
  return `${hostPart()}-${process.pid}-${startTicksOf(process.pid) ?? 0}`;
}

const hostPart = (): string => hostname().replace(/[^A-Za-z0-9_.]/g, "_");

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, host, pid, ticks] = /^(.*)-(\d+)-(\d+)$/.exec(name) ?? [];
    if (host !== hostPart() || startTicksOf(Number(pid)) === Number(ticks)) continue;
    // In the background: there may be much of it, and it is in nobody's way.
    removeTree(join(parent, name)).catch(() => {});
  }
}

function guarded(path: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CcError({
      code: "worker_storage",
      message: `The worker cannot write ${path}: ${reason}.`,
      hint: "Look at the free space and the owner of the folder, or give another with --cache-dir.",
      retryable: true,
      exitCode: 74,
      cause,
    });
  }
}
