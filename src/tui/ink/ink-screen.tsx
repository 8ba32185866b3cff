/**
 * Ink on this terminal: draws frames, reads keys. Loaded while the foreman is being dialled, since it is most
 * of what a start takes.
 */
import { type Instance, render } from "ink";
import type { KeyName } from "../navigation/keys.ts";
import { App, type SuspendTerminal } from "./app.tsx";
import type { Frames } from "./frames.ts";
import type { TerminalOutput } from "./terminal-output.ts";

export interface InkScreenParts {
  readonly frames: Frames;
  readonly output: TerminalOutput;
  /** Linear text on the normal screen instead of a picture on the other one. */
  readonly isForScreenReader: boolean;
  onKeys(keys: readonly KeyName[]): void;
  onPaste(text: string): void;
  /** Something inside React threw; Ink has ended by then. */
  onFault(error: unknown): void;
}

export interface InkScreen {
  /** Draws the next frame from scratch. */
  forget(): void;
  /** Gives the terminal away while `use` runs; without an effect before the keyboard is listened to. */
  lend(use: () => Promise<void>): Promise<void>;
  close(): void;
}

/** Keys are to be seen at once: this is for them, data has a pace of its own. */
const FRAMES_A_SECOND_MAX = 60;

export function openInkScreen(parts: InkScreenParts): InkScreen {
  const { frames, output, isForScreenReader } = parts;
  let suspendTerminal: SuspendTerminal | null = null;
  const instance: Instance = render(
    <App
      frames={frames}
      onKeys={parts.onKeys}
      onPaste={parts.onPaste}
      onReady={(suspendIt) => {
        suspendTerminal = suspendIt;
      }}
    />,
    {
      stdout: output.stream,
      alternateScreen: !isForScreenReader,
      incrementalRendering: true,
      maxFps: FRAMES_A_SECOND_MAX,
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
      concurrent: false,
      isScreenReaderEnabled: isForScreenReader,
    },
  );
  instance.waitUntilExit().catch(parts.onFault);
  return {
    forget() {
      if (isForScreenReader) return;
      output.eraseBeforeNextFrame();
      output.muted(() => instance.clear());
    },
    async lend(use) {
      await suspendTerminal?.(use);
    },
    close: () => instance.unmount(),
  };
}
