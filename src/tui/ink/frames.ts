/** The picture as React sees it: rows that change, and a number that makes Ink forget what it drew. */

export interface Frame {
  /** Rows of the screen, none of them empty, each with its styles closed. */
  readonly lines: readonly string[];
  readonly columns: number;
  /** Another one is drawn from scratch. */
  readonly generation: number;
}

export interface Frames {
  current(): Frame;
  /** Tells React only when something is different. */
  put(frame: Omit<Frame, "generation">): void;
  /** The next frame is drawn from scratch. */
  renew(): void;
  subscribe(listener: () => void): () => void;
}

export function createFrames(first: Omit<Frame, "generation">): Frames {
  let frame: Frame = { ...first, generation: 0 };
  let generation = 0;
  const listeners = new Set<() => void>();
  return {
    current: () => frame,
    put({ lines, columns }) {
      const isSame =
        columns === frame.columns &&
        generation === frame.generation &&
        lines.length === frame.lines.length &&
        lines.every((line, row) => line === frame.lines[row]);
      if (isSame) return;
      frame = { lines, columns, generation };
      for (const listener of listeners) listener();
    },
    renew() {
      generation += 1;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
