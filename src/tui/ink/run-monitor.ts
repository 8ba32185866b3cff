/**
 * Runs the monitor on this terminal until it ends: brings together the store, the pictures, the pace, Ink and
 * the terminal. Everything that it starts it stops; the exit code is the caller's matter.
 */
import type { Clock } from "../../runtime/platform/clock.ts";
import type { FeedError, MonitorFeed, OpenFeed } from "../feed.ts";
import { textOnce, wholeLog } from "../model/long-text.ts";
import {
  createMonitorStore,
  type MonitorStore,
  type OutsideEffect,
} from "../model/monitor-store.ts";
import type { ScreenModel } from "../model/screen-model.ts";
import { createView, type ViewOptions } from "../navigation/initial-view.ts";
import { planLayout } from "../panes/layout.ts";
import { renderScreen } from "../panes/screen.ts";
import { taskTextRows } from "../panes/task/task.ts";
import { taskText } from "../panes/task/task-text.ts";
import { stripSgr } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import { type ColourDepth, createTheme } from "../theme/themes.ts";
import { createFrames } from "./frames.ts";
import type { InkScreen } from "./ink-screen.tsx";
import { type Ending, enterTerminal } from "./lifecycle.ts";
import { openNotes } from "./notes.ts";
import { createPacer, type Pacer } from "./pacing.ts";
import { runPager } from "./run-pager.ts";
import { linearLines } from "./screen-reader.ts";
import { stopUntilContinued } from "./stop-process.ts";

export interface MonitorOptions {
  readonly openFeed: OpenFeed;
  readonly clock: Clock;
  readonly view: Omit<ViewOptions, "columns" | "rows">;
  readonly depth: ColourDepth;
  readonly notesFile: string | undefined;
  /** Linear text instead of a picture. */
  readonly isForScreenReader: boolean;
}

/** Four frames a second of data; more is not seen. */
const DATA_PAUSE_MS = 250;
/** A screen reader reads everything anew each time. */
const SPOKEN_PAUSE_MS = 1_000;
const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);

/** Resolves when the terminal is as it was before. */
export async function runMonitor(options: MonitorOptions): Promise<Ending> {
  const { clock, isForScreenReader } = options;
  const note = openNotes(options.notesFile, clock);
  const themeOf = createThemes(options.depth);
  let feed: MonitorFeed | null = null;
  let screen: InkScreen | null = null;
  /** Keys that were typed together may ask for it twice. */
  let isLent = false;
  let hasLeft = false;

  const terminal = enterTerminal({
    usesAlternateScreen: !isForScreenReader,
    note,
    onResize(size) {
      store.dispatch({ kind: "resize", ...size });
      repaint();
    },
    onSuspend: () => void suspend(),
    onContinue: () => void lendWhile(async () => undefined),
    onLeave() {
      hasLeft = true;
      pacer.stop();
      store.close();
      screen?.close();
    },
  });
  const store: MonitorStore = createMonitorStore({
    openFeed: (onUpdate) => {
      feed = options.openFeed(onUpdate);
      return feed;
    },
    clock,
    view: createView({ ...options.view, ...terminal.size() }),
    planLayout,
    textRows: textRowsOf(themeOf),
    onEffect,
    note,
  });
  const frames = createFrames({ lines: [], columns: terminal.size().columns });
  const pacer: Pacer = createPacer({
    clock,
    dataPauseMs: isForScreenReader ? SPOKEN_PAUSE_MS : DATA_PAUSE_MS,
    output: terminal.output,
    draw,
  });

  function draw(): void {
    const model = store.screen();
    const { columns, rows } = model.view;
    const drawn = renderScreen(model, themeOf(model)).slice(0, rows);
    frames.put({ lines: isForScreenReader ? linearLines(drawn) : drawn, columns });
  }

  /** From scratch, whatever the terminal shows now. */
  function repaint(): void {
    screen?.forget();
    frames.renew();
    pacer.request("key");
  }

  function onEffect(effect: OutsideEffect): void {
    switch (effect.kind) {
      case "quit":
        terminal.end({ kind: "quit" });
        return;
      case "redraw":
        repaint();
        return;
      case "copy":
        terminal.output.write(clipboardText(effect.text));
        return;
      case "suspend":
        void suspend();
        return;
      case "page_out":
        void pageOut();
    }
  }

  const suspend = (): Promise<void> => lendWhile(stopUntilContinued);

  async function lendWhile(use: () => Promise<void>): Promise<void> {
    if (screen === null || isLent) return;
    isLent = true;
    pacer.pause();
    try {
      await screen.lend(async () => {
        terminal.lend();
        await terminal.output.flush(FLUSH_MS);
        await use();
        terminal.takeBack();
      });
    } finally {
      isLent = false;
    }
    store.dispatch({ kind: "resize", ...terminal.size() });
    pacer.resume();
    repaint();
  }

  async function pageOut(): Promise<void> {
    let problem: string | null = null;
    await lendWhile(async () => {
      problem = await runPager(longText(feed, store.screen(), themeOf)).catch(
        (error: FeedError) => error.message,
      );
    });
    if (problem !== null) store.dispatch({ kind: "say", weight: "bad", text: problem });
  }

  store.subscribe((urgency) => pacer.request(urgency));
  // The foreman is dialled by now; what it answers is there when the picture is.
  const { openInkScreen } = await import("./ink-screen.tsx");
  // A signal may have been quicker.
  if (hasLeft) return await terminal.ended;
  draw();
  screen = openInkScreen({
    frames,
    output: terminal.output,
    isForScreenReader,
    onKeys(keys) {
      for (const key of keys) store.dispatch({ kind: "key", key });
    },
    onPaste: (text) => store.dispatch({ kind: "paste", text }),
    onFault: (error) => terminal.end({ kind: "crash", error }),
  });
  return await terminal.ended;
}

const FLUSH_MS = 300;

type ThemeOf = (model: Pick<ScreenModel, "view">) => Theme;

/** A theme is made when it is chosen, not with each frame. */
function createThemes(depth: ColourDepth): ThemeOf {
  let key = "";
  let theme: Theme | null = null;
  return ({ view }) => {
    const wanted = `${view.theme} ${view.ascii} ${view.graph}`;
    if (theme === null || wanted !== key) {
      theme = createTheme({ name: view.theme, ascii: view.ascii, graph: view.graph, depth });
      key = wanted;
    }
    return theme;
  };
}

const textRowsOf =
  (themeOf: ThemeOf) =>
  ({ view, shown }: Pick<ScreenModel, "view" | "shown">): number =>
    shown?.kind === "task" ? taskTextRows(shown.body, view.columns, themeOf({ view })) : 0;

/** OSC 52; ids only, so that nobody's text is put into a clipboard unseen. */
const clipboardText = (text: string): string =>
  `${ESCAPE}]52;c;${Buffer.from(text).toString("base64")}${BELL}`;

function longText(
  feed: MonitorFeed | null,
  model: ScreenModel,
  themeOf: ThemeOf,
): AsyncIterable<string> {
  const place = model.view.stack.at(-1)?.place;
  if (place?.kind === "log" && feed !== null) return wholeLog(feed, place);
  const theme = themeOf(model);
  const rows =
    place?.kind === "task" && model.shown?.kind === "task"
      ? taskText(model.shown.body, model.view.columns, theme)
      : renderScreen(model, theme);
  return textOnce(`${rows.map((row) => stripSgr(row).trimEnd()).join("\n")}\n`);
}
