/**
 * The three looks and how one is chosen. A look is a table from meanings to SGR parameters: `ansi16` uses the
 * sixteen colours of the person's own palette and no background, `cb` colours that stay apart for colour-blind
 * eyes on dark and on light, `mono` none. Bold, dim and inverse stay in all of them.
 */
import type { Graph, Style, Theme, ThemeName } from "./theme.ts";

/** How many colours the terminal says it has. */
export type ColourDepth = "16" | "256" | "true";

export interface ThemeChoice {
  readonly name: ThemeName;
  readonly ascii: boolean;
  readonly graph: Graph;
  readonly depth: ColourDepth;
}

type Look = Readonly<Record<Style, string>>;

const MONO: Look = {
  plain: "",
  dim: "2",
  strong: "1",
  title: "1",
  running: "",
  completed: "",
  failed: "1",
  queued: "",
  delayed: "",
  paused: "",
  cancelled: "2",
  lost: "1",
  warning: "1",
  good: "",
  accent: "1",
  key: "1",
  selection: "7",
  chart: "",
  chart2: "",
  track: "2",
};

const ANSI16: Look = {
  ...MONO,
  running: "36",
  completed: "32",
  failed: "1;31",
  delayed: "33",
  paused: "33",
  cancelled: "35",
  lost: "1;31",
  warning: "1;33",
  good: "32",
  accent: "1;36",
  key: "1;36",
  chart: "36",
  chart2: "31",
};

/** Okabe and Ito's colours, those of them that can be read on black and on white. */
export const CB_COLOURS = {
  blue: { rgb: [0x00, 0x72, 0xb2], index256: 32, index16: "94" },
  orange: { rgb: [0xd5, 0x5e, 0x00], index256: 166, index16: "33" },
  green: { rgb: [0x00, 0x9e, 0x73], index256: 29, index16: "36" },
  purple: { rgb: [0xcc, 0x79, 0xa7], index256: 175, index16: "95" },
} as const;
type CbColour = keyof typeof CB_COLOURS;

function colourBlindLook(depth: ColourDepth): Look {
  const colour = (name: CbColour, weight = "") => {
    const { rgb, index256, index16 } = CB_COLOURS[name];
    if (depth === "true") return `${weight}38;2;${rgb.join(";")}`;
    return depth === "256" ? `${weight}38;5;${index256}` : `${weight}${index16}`;
  };
  return {
    ...MONO,
    running: colour("green"),
    completed: colour("blue"),
    failed: colour("orange", "1;"),
    delayed: colour("purple"),
    paused: colour("purple"),
    lost: colour("orange", "1;"),
    warning: colour("orange", "1;"),
    good: colour("blue"),
    accent: colour("blue", "1;"),
    key: colour("blue", "1;"),
    chart: colour("blue"),
    chart2: colour("orange"),
  };
}

const ESCAPE = String.fromCharCode(27);
const RESET = `${ESCAPE}[0m`;

export function createTheme({ name, ascii, graph, depth }: ThemeChoice): Theme {
  const look = name === "mono" ? MONO : name === "cb" ? colourBlindLook(depth) : ANSI16;
  const begins = new Map(
    Object.entries(look).map(([style, sgr]) => [style, sgr === "" ? "" : `${ESCAPE}[${sgr}m`]),
  );
  return {
    name,
    ascii,
    graph: ascii ? "ascii" : graph,
    paint(style, text) {
      const begin = begins.get(style);
      return begin === undefined || begin === "" || text === "" ? text : begin + text + RESET;
    },
  };
}

export interface ThemeOptions {
  readonly theme?: ThemeName | undefined;
  readonly ascii?: boolean | undefined;
  readonly graph?: Graph | undefined;
  /** `--no-color`. */
  readonly noColour?: boolean | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Terminals that have neither UTF-8 nor the characters of our charts. */
const POOR_TERMINAL = /^(dumb|linux|vt\d|ansi|cons25|sun)/;
const RICH_TERMINAL = /^(xterm-kitty|xterm-ghostty|alacritty|wezterm|foot|iterm)|direct/;

/** What suits this terminal; what was asked for on the command line goes before what it says of itself. */
export function detectTheme(environment: Environment, options: ThemeOptions = {}): ThemeChoice {
  const ascii = options.ascii ?? !showsUnicode(environment);
  return {
    name: options.theme ?? (refusesColour(environment, options) ? "mono" : "ansi16"),
    ascii,
    graph: ascii ? "ascii" : (options.graph ?? "braille"),
    depth: colourDepth(environment),
  };
}

function refusesColour(environment: Environment, options: ThemeOptions): boolean {
  // An empty NO_COLOR says nothing: https://no-color.org
  return (
    options.noColour === true ||
    (environment["NO_COLOR"] ?? "") !== "" ||
    environment["TERM"] === "dumb"
  );
}

function showsUnicode(environment: Environment): boolean {
  if (POOR_TERMINAL.test(environment["TERM"] ?? "")) return false;
  const locale = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"];
  // In containers and over ssh nothing is said very often, and the terminal has UTF-8 all the same.
  return locale === undefined || locale === "" || /utf-?8/i.test(locale);
}

function colourDepth(environment: Environment): ColourDepth {
  const term = environment["TERM"] ?? "";
  if (/^(truecolor|24bit)$/i.test(environment["COLORTERM"] ?? "") || RICH_TERMINAL.test(term))
    return "true";
  return term.includes("256") ? "256" : "16";
}
