/** The picture as React sees it: one text that changes, and a number that makes Ink forget what it drew. */

export interface Frame {
  /** Rows of the screen, each with its styles closed, joined by line feeds. */
  readonly text: string;
  readonly columns: number;
  readonly rows: number;
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
    put({ text, columns, rows }) {
      const isSame =
        text === frame.text &&
        columns === frame.columns &&
        rows === frame.rows &&
        generation === frame.generation;
      if (isSame) return;
      frame = { text, columns, rows, generation };
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
