import { describe, expect, test } from "bun:test";
import { JOB_STATES, TASK_STATES } from "../../../src/runtime/protocol/views.ts";
import { jobLook, STATE_LETTERS, taskLook } from "../../../src/tui/theme/states.ts";
import { STYLES, THEME_NAMES } from "../../../src/tui/theme/theme.ts";
import { CB_COLOURS, createTheme, detectTheme } from "../../../src/tui/theme/themes.ts";

const DEPTHS = ["16", "256", "true"] as const;
type Rgb = readonly [number, number, number];

const ESCAPE = String.fromCharCode(27);
const paintedBy = (sgr: string) => new RegExp(`^(x|${ESCAPE}\\[${sgr}mx${ESCAPE}\\[0m)$`);

describe("the looks", () => {
  test("each style is a well-formed sequence that ends with a reset, or nothing", () => {
    for (const name of THEME_NAMES)
      for (const depth of DEPTHS) {
        const theme = createTheme({ name, depth, ascii: false, graph: "braille" });
        for (const style of STYLES) {
          expect(theme.paint(style, "x")).toMatch(paintedBy("[0-9;]+"));
          expect(theme.paint(style, "")).toBe("");
        }
      }
  });

  test("mono has no colour, but the selection and what is strong stay visible", () => {
    const theme = createTheme({ name: "mono", depth: "true", ascii: false, graph: "braille" });
    for (const style of STYLES) expect(theme.paint(style, "x")).toMatch(paintedBy("[127]"));
    expect(theme.paint("selection", "x")).toBe("\x1b[7mx\x1b[0m");
    expect(theme.paint("failed", "x")).toBe("\x1b[1mx\x1b[0m");
  });

  test("no look sets a background", () => {
    for (const name of THEME_NAMES)
      for (const depth of DEPTHS)
        for (const style of STYLES) {
          const painted = createTheme({ name, depth, ascii: false, graph: "braille" }).paint(
            style,
            "x",
          );
          expect(painted).not.toMatch(/\[(?:[0-9;]*;)?(?:4[0-8]|10[0-7])[;m]/);
        }
  });

  test("with ascii no chart is drawn in anything else", () => {
    expect(createTheme({ name: "cb", depth: "16", ascii: true, graph: "braille" }).graph).toBe(
      "ascii",
    );
  });
});

describe("the colour-blind look", () => {
  const colours = Object.entries(CB_COLOURS).map(([name, { rgb, index256 }]) => ({
    name,
    rgb,
    index256,
  }));

  test("its colours can be read on black and on white", () => {
    for (const { rgb, index256 } of colours)
      for (const colour of [rgb, rgbOf256(index256)]) {
        expect(contrast(colour, [0, 0, 0])).toBeGreaterThan(3.9);
        expect(contrast(colour, [255, 255, 255])).toBeGreaterThan(2.5);
      }
  });

  test("its colours stay apart for eyes without green or without red", () => {
    for (const seen of [deuteranopia, protanopia])
      for (const shown of [
        (c: (typeof colours)[number]) => c.rgb,
        (c: (typeof colours)[number]) => rgbOf256(c.index256),
      ])
        for (const one of colours)
          for (const other of colours)
            if (one.name < other.name)
              expect(difference(seen(shown(one)), seen(shown(other)))).toBeGreaterThan(18);
  });

  test("done and failed lie furthest apart: blue and orange", () => {
    expect(
      difference(deuteranopia(CB_COLOURS.blue.rgb), deuteranopia(CB_COLOURS.orange.rgb)),
    ).toBeGreaterThan(80);
    const theme = createTheme({ name: "cb", depth: "true", ascii: false, graph: "braille" });
    expect(theme.paint("completed", "x")).toContain("38;2;0;114;178");
    expect(theme.paint("failed", "x")).toContain("38;2;213;94;0");
  });
});

describe("the choice", () => {
  const choose = (environment: Record<string, string>, options = {}) =>
    detectTheme(environment, options);

  test("sixteen colours and braille, unless something says otherwise", () => {
    expect(choose({ TERM: "xterm", LANG: "C.UTF-8" })).toEqual({
      name: "ansi16",
      ascii: false,
      graph: "braille",
      depth: "16",
    });
  });

  test("NO_COLOR and --no-color mean mono, a theme that was asked for goes before", () => {
    expect(choose({ NO_COLOR: "1" }).name).toBe("mono");
    expect(choose({ NO_COLOR: "" }).name).toBe("ansi16");
    expect(choose({}, { noColour: true }).name).toBe("mono");
    expect(choose({ NO_COLOR: "1" }, { theme: "cb" }).name).toBe("cb");
  });

  test("a locale without UTF-8 means ascii, none at all does not", () => {
    expect(choose({ LC_ALL: "C", LANG: "en_US.UTF-8" }).ascii).toBe(true);
    expect(choose({ LANG: "de_DE.utf8" }).ascii).toBe(false);
    expect(choose({ LANG: "en_US.ISO-8859-1" })).toMatchObject({ ascii: true, graph: "ascii" });
    expect(choose({}).ascii).toBe(false);
    expect(choose({ TERM: "linux", LANG: "C.UTF-8" }).ascii).toBe(true);
    expect(choose({ LANG: "C" }, { ascii: false, graph: "block" })).toMatchObject({
      ascii: false,
      graph: "block",
    });
  });

  test("the depth of colour is what the terminal says", () => {
    expect(choose({ COLORTERM: "truecolor" }).depth).toBe("true");
    expect(choose({ TERM: "tmux-256color" }).depth).toBe("256");
    expect(choose({ TERM: "xterm-kitty" }).depth).toBe("true");
  });
});

test("every state has a letter of the contract, and no two states of a kind share one", () => {
  expect(STATE_LETTERS.map((look) => look.letter).join("")).toBe("OBQYRPCFX");
  const jobs = JOB_STATES.map((state) => jobLook({ state, inputs_open: false }).letter);
  const tasks = TASK_STATES.map((state) => taskLook(state).letter);
  expect([jobs.join(""), tasks.join("")]).toEqual(["QRPCFX", "BQYRCFX"]);
  expect(jobLook({ state: "queued", inputs_open: true }).letter).toBe("O");
  expect(jobLook({ state: "running", inputs_open: true }).letter).toBe("R");
});

const linear = (value: number) =>
  value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Linear colour as eyes without the green (red) receptor tell it apart: Viénot, Brettel and Mollon, 1999. */
const deuteranopia = (colour: Rgb) => seenBy(colour, [0.29275, 0.70725, -0.02234]);
const protanopia = (colour: Rgb) => seenBy(colour, [0.11238, 0.88762, 0.00401]);

function seenBy(colour: Rgb, [a, b, c]: Rgb): Rgb {
  const [red, green, blue] = colour.map(linear) as [number, number, number];
  const yellow = a * red + b * green;
  return [yellow, yellow, c * (red - green) + blue];
}

/** Distance in CIE Lab of two linear colours; 2 can just be seen. */
function difference(one: Rgb, other: Rgb): number {
  const [a, b] = [lab(one), lab(other)];
  return Math.hypot(...a.map((value, at) => value - (b[at] ?? 0)));
}

function lab([red, green, blue]: Rgb): readonly number[] {
  const curve = (value: number) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116);
  const x = curve((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
  const y = curve(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  const z = curve((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Of the cube of 6 x 6 x 6 colours that every terminal with 256 has. */
function rgbOf256(index: number): Rgb {
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  const cube = index - 16;
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)];
}
