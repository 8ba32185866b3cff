/**
 * The four system calls that the runtime does not offer as we need them. Where libc cannot be
 * reached (not Linux, an unknown libc) it is null and callers take the runtime's slower way.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
// Linux's numbers; x64 and arm64 agree on them.
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;
const RLIMIT_NPROC = 6;

const libc = openLibrary();
const pipeEnds = new Int32Array(2);

export interface SystemPipe {
  /** Does not block: a read of an empty pipe throws EAGAIN. */
  readonly readEnd: number;
  /** Blocks, as programs expect of their stdout. */
  readonly writeEnd: number;
}

/**
 * A real pipe. `Bun.spawn`'s own "pipe" is a socket pair, and opening `/dev/stdout` or `/dev/stderr`
 * on a socket fails (ENXIO), which breaks `tee /dev/stderr`; a pair also costs a command about 35 µs
 * more. null where there is no libc to ask, or no descriptor is left.
 */
export function openSystemPipe(): SystemPipe | null {
  if (libc === null || libc.symbols.pipe2(ptr(pipeEnds), O_CLOEXEC) !== 0) return null;
  const [readEnd, writeEnd] = pipeEnds as unknown as [number, number];
  libc.symbols.fcntl(readEnd, F_SETFL, O_NONBLOCK);
  return { readEnd, writeEnd };
}

/**
 * Whether a process group has a member that we may signal; zombies count until they are reaped.
 * `process.kill` throws where there is none, which costs 30 µs, and asking is on the way of every
 * command.
 */
export function isGroupAlive(groupId: number): boolean {
  if (libc !== null) return libc.symbols.kill(-groupId, 0) === 0;
  try {
    process.kill(-groupId, 0);
    return true;
  } catch {
    return false;
  }
}

/** Soft and hard, in the layout of `struct rlimit`. */
const limitPair = new BigUint64Array(2);

/**
 * How many processes its account may have when this one, or what it forks, wants another. 0 is this
 * process; up to `hard` it may be raised again.
 */
export function limitProcesses(pid: number, soft: bigint, hard: bigint): void {
  if (libc === null) return;
  limitPair[0] = soft;
  limitPair[1] = hard;
  libc.symbols.prlimit(pid, RLIMIT_NPROC, ptr(limitPair), null);
}

function openLibrary() {
  if (process.platform !== "linux") return null;
  const { i32, ptr: pointer } = FFIType;
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, {
        pipe2: { args: [pointer, i32], returns: i32 },
        fcntl: { args: [i32, i32, i32], returns: i32 },
        kill: { args: [i32, i32], returns: i32 },
        prlimit: { args: [i32, i32, pointer, pointer], returns: i32 },
      });
    } catch {
      // Another libc: the next name.
    }
  }
  return null;
}
