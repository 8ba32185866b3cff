/**
 * A slow link between a program and the person who looks: the terminal is stopped (as Ctrl-S does, but by
 * the system call, so that no key is needed) for as long as what has just arrived would have taken. The
 * program's writes then wait in the kernel, as they would behind a stalled ssh.
 */
import { dlopen, FFIType } from "bun:ffi";
import { closeSync, constants, openSync, readlinkSync } from "node:fs";

export interface SlowLine {
  /** Tells it what has arrived. */
  onArrived(byteCount: number): void;
  setPace(bytesPerSecond: number | null): void;
  close(): void;
}

// Linux's numbers.
const TCXONC = 0x540a;
const TCOOFF = 0;
const TCOON = 1;

const libc = dlopen("libc.so.6", {
  ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
});

/** `pid` must have the terminal as its stdout. */
export function openSlowLine(pid: number): SlowLine {
  const path = readlinkSync(`/proc/${pid}/fd/1`);
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  let bytesPerMs: number | null = null;
  let openAtMs = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flow = (isOn: boolean): void => {
    libc.symbols.ioctl(descriptor, TCXONC, isOn ? TCOON : TCOOFF);
  };
  const reopen = (): void => {
    timer = null;
    flow(true);
  };
  return {
    onArrived(byteCount) {
      if (bytesPerMs === null) return;
      const nowMs = performance.now();
      openAtMs = Math.max(openAtMs, nowMs) + byteCount / bytesPerMs;
      flow(false);
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(reopen, openAtMs - nowMs);
    },
    setPace(bytesPerSecond) {
      bytesPerMs = bytesPerSecond === null ? null : bytesPerSecond / 1000;
      openAtMs = 0;
      if (timer !== null) clearTimeout(timer);
      reopen();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      flow(true);
      closeSync(descriptor);
    },
  };
}
