/**
 * The one way to the terminal's screen. Writes go to the system in a thread, one at a time: a terminal that
 * does not read (a stalled ssh, a stopped pager) holds up nothing, and nothing piles up, since whoever
 * draws asks `isBusy` first. Ink gets a stream that looks like stdout and is this.
 */
import { EventEmitter } from "node:events";
import { write } from "node:fs";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface TerminalOutput {
  /** For Ink. */
  readonly stream: NodeJS.WriteStream;
  /** The system has not taken yet what was written. */
  readonly isBusy: boolean;
  /** Calls once when nothing is under way; at once when that is so now. */
  whenIdle(onIdle: () => void): void;
  /** Written as it is, in order with everything else. */
  write(text: string): void;
  resize(size: TerminalSize): void;
  /** The next frame erases the screen first, inside its own synchronised update. */
  eraseBeforeNextFrame(): void;
  /** What Ink writes meanwhile is dropped. */
  muted(run: () => void): void;
  /** From now on nothing that Ink writes goes out. */
  mute(): void;
  /** Resolves when all is out, or after so long; whether it is. */
  flush(limitMs: number): Promise<boolean>;
}

export interface TerminalOutputParts {
  readonly fd: number;
  readonly size: TerminalSize;
  /** The terminal has gone: EIO, EPIPE. */
  onGone(): void;
}

const ESCAPE = String.fromCharCode(27);
/** What Ink begins each frame with: a synchronised update. */
const BEGIN_UPDATE = `${ESCAPE}[?2026h`;
const ERASE_SCREEN = `${ESCAPE}[H${ESCAPE}[J`;
const RETRY_MS = 5;

export function createTerminalOutput({ fd, size, onGone }: TerminalOutputParts): TerminalOutput {
  let pending: string[] = [];
  let isWriting = false;
  let isScheduled = false;
  let isMuted = false;
  let isGone = false;
  let erasesNext = false;
  let waiting: (() => void)[] = [];

  function add(text: string): void {
    if (isGone || text === "") return;
    pending.push(text);
    if (isWriting || isScheduled) return;
    // A frame is three writes of Ink's; they leave as one.
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      send();
    });
  }

  function send(): void {
    if (isWriting) return;
    if (pending.length === 0) {
      const idle = waiting;
      waiting = [];
      for (const onIdle of idle) onIdle();
      return;
    }
    const bytes = Buffer.from(pending.join(""));
    pending = [];
    isWriting = true;
    sendBytes(bytes, 0);
  }

  function sendBytes(bytes: Uint8Array, from: number): void {
    write(fd, bytes, from, bytes.length - from, null, (error, count) => {
      if (error !== null && isTemporary(error)) {
        setTimeout(() => sendBytes(bytes, from), RETRY_MS);
        return;
      }
      if (error === null && from + count < bytes.length) {
        sendBytes(bytes, from + count);
        return;
      }
      isWriting = false;
      if (error !== null) {
        isGone = true;
        pending = [];
        onGone();
      }
      send();
    });
  }

  function frame(text: string): void {
    if (isMuted) return;
    if (erasesNext && text.startsWith(BEGIN_UPDATE)) {
      erasesNext = false;
      add(BEGIN_UPDATE + ERASE_SCREEN + text.slice(BEGIN_UPDATE.length));
    } else add(text);
  }

  const output: TerminalOutput = {
    stream: createStream(size, frame),
    get isBusy() {
      return isWriting || pending.length > 0;
    },
    whenIdle(onIdle) {
      if (!isWriting && pending.length === 0) onIdle();
      else waiting.push(onIdle);
    },
    write: add,
    resize: (wanted) => void Object.assign(output.stream, wanted),
    eraseBeforeNextFrame() {
      erasesNext = true;
    },
    muted(run) {
      const before = isMuted;
      isMuted = true;
      try {
        run();
      } finally {
        isMuted = before;
      }
    },
    mute() {
      isMuted = true;
    },
    flush: (limitMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), limitMs);
        output.whenIdle(() => {
          clearTimeout(timer);
          resolve(!isGone);
        });
      }),
  };
  return output;
}

const isTemporary = ({ code }: NodeJS.ErrnoException): boolean =>
  code === "EAGAIN" || code === "EINTR";

/** As much of a terminal's stream as Ink uses. It never says that its size has changed: we redraw ourselves. */
function createStream(size: TerminalSize, frame: (text: string) => void): NodeJS.WriteStream {
  const stream = Object.assign(new EventEmitter(), {
    ...size,
    isTTY: true,
    writable: true,
    writableEnded: false,
    destroyed: false,
    write(text: string | Uint8Array, ...rest: unknown[]): boolean {
      frame(typeof text === "string" ? text : Buffer.from(text).toString());
      const done = rest.at(-1);
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    },
  });
  // Ink asks for these members and no others.
  return stream as unknown as NodeJS.WriteStream;
}
