/**
 * A terminal without a window: what a person would see of the bytes that a program writes, as text and as
 * cells with their attributes, and which modes of the terminal are switched on. It only looks; what has
 * been written decides everything, and a picture that is still being drawn (synchronized output) is told.
 */
import xterm from "@xterm/headless";

export interface Cell {
  /** "" is the second half of the wide character before it. */
  readonly text: string;
  /** `default`, `0` … `255` or `#rrggbb`. */
  readonly foreground: string;
  readonly background: string;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
}

export interface TerminalModes {
  /** The other screen is shown, which leaves the shell's text as it was. */
  readonly alternateScreen: boolean;
  readonly cursorVisible: boolean;
  readonly mouse: boolean;
  /** Mouse wheel sends arrows (1007). */
  readonly alternateScroll: boolean;
  readonly bracketedPaste: boolean;
  readonly focusEvents: boolean;
  readonly synchronizedOutput: boolean;
  /** How many kitty keyboard modes were pushed and not popped. */
  readonly kittyKeyboard: number;
}

export interface Emulator {
  /** `onDrawn` once all of it is on the screen. */
  write(bytes: Uint8Array, onDrawn: () => void): void;
  /** What the terminal answers by itself to questions in the output. */
  onAnswer(send: (text: string) => void): void;
  resize(columns: number, rows: number): void;
  readonly columns: number;
  readonly rows: number;
  /** The rows that are visible, without blanks at their ends. */
  rowTexts(): readonly string[];
  cells(): readonly (readonly Cell[])[];
  /** Where the cursor stands, from 0. */
  cursor(): { readonly row: number; readonly column: number };
  modes(): TerminalModes;
  /** Lines that have scrolled off the normal screen, the oldest first. */
  scrollback(): readonly string[];
  /** What the program asked to be put into the clipboard or the title, and other such commands (OSC). */
  readonly commands: readonly string[];
  dispose(): void;
}

const SCROLLBACK_ROWS = 2_000;
const COMMANDS_MAX = 1_000;

export function createEmulator(columns: number, rows: number): Emulator {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: SCROLLBACK_ROWS,
    allowProposedApi: true,
  });
  const watched = watchModes(terminal);
  const commands = watchCommands(terminal);
  const screenLine = (row: number) => {
    const { active } = terminal.buffer;
    return active.getLine(active.baseY + row);
  };
  return {
    write: (bytes, onDrawn) => terminal.write(bytes, onDrawn),
    onAnswer: (send) => void terminal.onData(send),
    resize: (newColumns, newRows) => terminal.resize(newColumns, newRows),
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    rowTexts: () =>
      Array.from(
        { length: terminal.rows },
        (_, row) => screenLine(row)?.translateToString(true) ?? "",
      ),
    cells: () =>
      Array.from({ length: terminal.rows }, (_, row) => cellsOf(screenLine(row), terminal.cols)),
    cursor: () => ({ row: terminal.buffer.active.cursorY, column: terminal.buffer.active.cursorX }),
    modes: () => ({
      alternateScreen: terminal.buffer.active.type === "alternate",
      cursorVisible: watched.cursorVisible,
      mouse: terminal.modes.mouseTrackingMode !== "none",
      alternateScroll: watched.alternateScroll,
      bracketedPaste: terminal.modes.bracketedPasteMode,
      focusEvents: terminal.modes.sendFocusMode,
      synchronizedOutput: terminal.modes.synchronizedOutputMode,
      kittyKeyboard: watched.kittyKeyboard,
    }),
    scrollback() {
      const { normal } = terminal.buffer;
      return Array.from(
        { length: normal.baseY },
        (_, row) => normal.getLine(row)?.translateToString(true) ?? "",
      );
    },
    commands,
    dispose: () => terminal.dispose(),
  };
}

interface WatchedModes {
  cursorVisible: boolean;
  alternateScroll: boolean;
  kittyKeyboard: number;
}

/** The modes that the emulator obeys or ignores without telling. */
function watchModes(terminal: xterm.Terminal): WatchedModes {
  const watched: WatchedModes = { cursorVisible: true, alternateScroll: false, kittyKeyboard: 0 };
  const setPrivate = (isOn: boolean) => (parameters: (number | number[])[]) => {
    for (const parameter of parameters) {
      if (parameter === 25) watched.cursorVisible = isOn;
      if (parameter === 1007) watched.alternateScroll = isOn;
    }
    return false;
  };
  terminal.parser.registerCsiHandler({ prefix: "?", final: "h" }, setPrivate(true));
  terminal.parser.registerCsiHandler({ prefix: "?", final: "l" }, setPrivate(false));
  // Save and restore, which the emulator does not know.
  let savedAlternateScroll = false;
  terminal.parser.registerCsiHandler({ prefix: "?", final: "s" }, (parameters) => {
    if (parameters.includes(1007)) savedAlternateScroll = watched.alternateScroll;
    return false;
  });
  terminal.parser.registerCsiHandler({ prefix: "?", final: "r" }, (parameters) => {
    if (parameters.includes(1007)) watched.alternateScroll = savedAlternateScroll;
    return false;
  });
  terminal.parser.registerCsiHandler({ prefix: ">", final: "u" }, () => {
    watched.kittyKeyboard += 1;
    return false;
  });
  terminal.parser.registerCsiHandler({ prefix: "<", final: "u" }, ([count]) => {
    const popped = typeof count === "number" && count > 0 ? count : 1;
    watched.kittyKeyboard = Math.max(0, watched.kittyKeyboard - popped);
    return false;
  });
  return watched;
}

/** Title, icon name, links, notifications, clipboard: everything that acts outside the screen. */
const OUTSIDE_COMMANDS = [0, 1, 2, 7, 8, 9, 52, 99, 633, 777, 1337] as const;

function watchCommands(terminal: xterm.Terminal): readonly string[] {
  const commands: string[] = [];
  for (const number of OUTSIDE_COMMANDS) {
    terminal.parser.registerOscHandler(number, (body) => {
      if (commands.length < COMMANDS_MAX) commands.push(`${number};${body}`);
      return false;
    });
  }
  return commands;
}

type Line = ReturnType<xterm.Terminal["buffer"]["active"]["getLine"]>;

function cellsOf(line: Line, columns: number): readonly Cell[] {
  return Array.from({ length: columns }, (_, column) => {
    const cell = line?.getCell(column);
    if (cell === undefined) return BLANK;
    return {
      text: cell.getWidth() === 0 ? "" : cell.getChars() || " ",
      foreground: colourName(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()),
      background: colourName(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor()),
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
      italic: cell.isItalic() !== 0,
      underline: cell.isUnderline() !== 0,
      inverse: cell.isInverse() !== 0,
    };
  });
}

const BLANK: Cell = {
  text: " ",
  foreground: "default",
  background: "default",
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
};

function colourName(isDefault: boolean, isRgb: boolean, colour: number): string {
  if (isDefault) return "default";
  return isRgb ? `#${colour.toString(16).padStart(6, "0")}` : String(colour);
}
