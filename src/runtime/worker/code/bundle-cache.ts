/**
 * Code on this machine's disk: one file a bundle, named by its SHA-256, read-only, shared by all
 * workers of the account. What does not have its name's hash is removed and never run. The least
 * recently used ones go when the folder is over its size.
 */
import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import { CcError } from "../../protocol/error.ts";

export interface BundleCache {
  /** The absolute path of the verified file; null when it is missing or was broken. */
  find(sha256: string): Promise<string | null>;
  /** Keeps bytes that have this hash; the path. @throws CcError `worker_storage` */
  keep(sha256: string, bytes: Uint8Array): Promise<string>;
}

export interface BundleCacheOptions {
  /** Files lie in `bundles/` below it. */
  readonly cacheFolder: string;
  readonly bytesMax: number;
  readonly clock: Clock;
}

/** Says what it is to whoever looks, and to the module loader. */
const SUFFIX = ".mjs";

export function createBundleCache(options: BundleCacheOptions): BundleCache {
  const folder = join(options.cacheFolder, "bundles");
  const pathOf = (sha256: string): string => join(folder, sha256 + SUFFIX);

  /** Marks it as just used; it may have been removed by another worker meanwhile. */
  async function touch(path: string): Promise<void> {
    const now = new Date(options.clock.nowMs());
    await utimes(path, now, now).catch(() => {});
  }

  return {
    async find(sha256) {
      const path = pathOf(sha256);
      const bytes = await readWhole(path);
      if (bytes === null) return null;
      if (hashOf(bytes) !== sha256) {
        // A full disk, a failing one, or somebody's editor: it is fetched anew.
        await rm(path, { force: true });
        return null;
      }
      await touch(path);
      return path;
    },
    async keep(sha256, bytes) {
      const path = pathOf(sha256);
      await guarded(path, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeInPlace(folder, path, bytes);
        await touch(path);
        await removeOldest(folder, path, options.bytesMax);
      });
      return path;
    },
  };
}

/** The check of code before it is kept or run. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readWhole(path: string): Promise<Uint8Array | null> {
  try {
    return await Bun.file(path).bytes();
  } catch {
    // Missing, or unreadable, which comes to the same: it is fetched and written anew.
    return null;
  }
}

/** Renamed into place, so that no reader meets half of it and several writers agree. */
async function writeInPlace(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const draft = join(folder, `${randomUUID()}.tmp`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    await chmod(draft, 0o444);
    await rename(draft, path);
  } catch (thrown) {
    await rm(draft, { force: true });
    throw thrown;
  }
}

/** An executor that has loaded a file needs it no more, so any but the newest may go. */
async function removeOldest(folder: string, keptPath: string, bytesMax: number): Promise<void> {
  const files: { readonly path: string; readonly byteCount: number; readonly usedAtMs: number }[] =
    [];
  let byteCount = 0;
  for (const name of await readdir(folder)) {
    if (!name.endsWith(SUFFIX)) continue;
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats === null) continue;
    byteCount += stats.size;
    if (path !== keptPath) files.push({ path, byteCount: stats.size, usedAtMs: stats.mtimeMs });
  }
  files.sort((a, b) => a.usedAtMs - b.usedAtMs);
  for (const file of files) {
    if (byteCount <= bytesMax) return;
    await rm(file.path, { force: true });
    byteCount -= file.byteCount;
  }
}

async function guarded(path: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CcError({
      code: "worker_storage",
      message: `The worker cannot keep code in ${path}: ${reason}.`,
      hint: "Look at the free space and the owner of the folder, or give another with --cache-dir.",
      retryable: true,
      exitCode: 74,
      cause,
    });
  }
}
