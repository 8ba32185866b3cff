/**
 * All of the monitor that is React: a text for each row of the screen, and the keyboard. It decides nothing and
 * keeps nothing; frames come from outside and keys go there.
 */
import { Box, useApp, useInput, usePaste } from "ink";
import { type ReactElement, useEffect, useMemo, useSyncExternalStore } from "react";
import { type KeyName, keysOf } from "../navigation/keys.ts";
import type { Frames } from "./frames.ts";
import { row, rowLook } from "./row.tsx";

/** Gives the terminal away while `use` runs, and takes it back. */
export type SuspendTerminal = (use: () => Promise<void>) => Promise<void>;

export interface AppProps {
  readonly frames: Frames;
  onKeys(keys: readonly KeyName[]): void;
  onPaste(text: string): void;
  /** Called once, when the keyboard is listened to. */
  onReady(suspendTerminal: SuspendTerminal): void;
}

export function App({ frames, onKeys, onPaste, onReady }: AppProps): ReactElement {
  const frame = useSyncExternalStore(frames.subscribe, frames.current);
  const look = useMemo(() => rowLook(frame.columns), [frame.columns]);
  const { suspendTerminal } = useApp();
  useInput((input, key) => onKeys(keysOf(input, key)));
  usePaste(onPaste);
  useEffect(() => onReady(suspendTerminal), [onReady, suspendTerminal]);
  return (
    <Box
      key={frame.generation}
      flexDirection="column"
      width={frame.columns}
      height={frame.lines.length}
    >
      {frame.lines.map((line, at) => row(line, look, at))}
    </Box>
  );
}
