/**
 * Takes the channel to the worker off descriptor 3, so that a task which closes or writes to the
 * descriptors it can think of does not meet it. What finds it all the same breaks it for this process
 * alone; that is the worker's matter.
 */
import { dlopen, FFIType } from "bun:ffi";
import { closeSync, openSync } from "node:fs";

const GIVEN = 3;
/** Beyond those that programs count to. */
const DESCRIPTOR_MIN = 200;
// Linux's numbers; x64 and arm64 agree on them.
const F_DUPFD_CLOEXEC = 1030;
const O_CLOEXEC = 0o2000000;
const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

/** The channel's descriptor from now on; descriptor 3 itself where libc cannot be reached. */
export function takeChannel(): number {
  const libc = process.platform === "linux" ? openLibrary() : null;
  if (libc === null) return GIVEN;
  const channel = libc.symbols.fcntl(GIVEN, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);
  if (channel < 0) return GIVEN;
  const nothing = openSync("/dev/null", "r+");
  libc.symbols.dup3(nothing, GIVEN, O_CLOEXEC);
  closeSync(nothing);
  return channel;
}

function openLibrary() {
  const { i32 } = FFIType;
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, {
        fcntl: { args: [i32, i32, i32], returns: i32 },
        dup3: { args: [i32, i32, i32], returns: i32 },
      });
    } catch {
      // Another libc: the next name.
    }
  }
  return null;
}
