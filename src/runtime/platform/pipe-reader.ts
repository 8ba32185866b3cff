/**
 * Whether anybody still reads what we write to a pipe. A closed pipe is otherwise noticed by the next
 * write only, and a program that has nothing to say for hours would stay that long. Where libc cannot be
 * reached (not Linux, an unknown libc) the answer is always yes.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
const POLLERR = 0x08;
/** Of a socket or a terminal whose other end is gone. */
const POLLHUP = 0x10;
const POLLNVAL = 0x20;

/** `struct pollfd`: the descriptor, then in one word what is asked for and what is so. */
const question = new Int32Array(2);
let libc: ReturnType<typeof openLibrary> | undefined;

export function hasReader(fd: number): boolean {
  libc ??= openLibrary();
  if (libc === null) return true;
  question[0] = fd;
  // Errors are told without being asked for.
  question[1] = 0;
  if (libc.symbols.poll(ptr(question), 1, 0) <= 0) return true;
  return (((question[1] ?? 0) >> 16) & (POLLERR | POLLHUP | POLLNVAL)) === 0;
}

function openLibrary() {
  if (process.platform !== "linux") return null;
  const { i32, u64, ptr: pointer } = FFIType;
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, { poll: { args: [pointer, u64, i32], returns: i32 } });
    } catch {
      // Another libc: the next name.
    }
  }
  return null;
}
