/**
 * A disk of a few mebibytes that a test can fill and empty: a tmpfs in a mount namespace of its own,
 * held by one quiet process, so that nothing of it is seen or left elsewhere. Programs join it; the
 * test reaches its files through that process's view.
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY } from "../../support/binary.ts";

export interface SmallDisk {
  /** Its mount point, as programs that joined it name it. */
  readonly folder: string;
  /** The same as the test names it. */
  readonly seenFrom: string;
  /** Runs the binary on it; takes the binary's arguments. */
  readonly program: string;
  /** Takes all of it but so many bytes; again, what has become free since. */
  fill(leftBytes?: number): void;
  /** Gives back what `fill` took. */
  free(): void;
  close(): Promise<void>;
}

export const canMount: boolean =
  Bun.spawnSync(["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], {
    stderr: "ignore",
    timeout: 10_000,
  }).exitCode === 0;

const CHUNK_BYTES = 64 * 1024;
/** Longer than any test; the holder never outlives it. */
const HOLDER_TIMEOUT_MS = 30 * 60_000;

export async function openSmallDisk(sizeMiB: number): Promise<SmallDisk> {
  const parent = mkdtempSync(join(tmpdir(), "cc-disk-"));
  const folder = join(parent, "disk");
  const script = `mkdir '${folder}' && mount -t tmpfs -o size=${sizeMiB}m,mode=700 tmpfs '${folder}' && echo ready && read _`;
  const holder = Bun.spawn(["unshare", "-rm", "sh", "-c", script], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: HOLDER_TIMEOUT_MS,
  });
  await holder.stdout.getReader().read();
  const seenFrom = `/proc/${holder.pid}/root${folder}`;
  const filler = join(seenFrom, "filler");
  const program = join(parent, "cc-on-it");
  const joining = `nsenter --target ${holder.pid} --user --mount --preserve-credentials`;
  writeFileSync(program, `#!/bin/sh\nexec ${joining} -- '${BINARY}' "$@"\n`, { mode: 0o755 });
  return {
    folder,
    seenFrom,
    program,
    fill(leftBytes = 0) {
      const file = openSync(filler, "a");
      const chunk = Buffer.alloc(CHUNK_BYTES, 1);
      try {
        for (;;) writeSync(file, chunk);
      } catch (thrown) {
        if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC"))
          throw thrown;
      } finally {
        closeSync(file);
      }
      if (leftBytes > 0) shrink(filler, leftBytes);
    },
    free: () => rmSync(filler),
    async close() {
      holder.stdin.end();
      await holder.exited;
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

function shrink(path: string, byByteCount: number): void {
  const { size } = Bun.file(path);
  truncateSync(path, Math.max(0, size - byByteCount));
}
