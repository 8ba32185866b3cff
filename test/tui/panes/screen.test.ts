/** The frame around every place, what lies over it, and what stands there when there is nothing to show. */
import { describe, expect, test } from "bun:test";
import type { ScreenModel } from "../../../src/tui/model/screen-model.ts";
import { helpEntries } from "../../../src/tui/navigation/key-hints.ts";
import type { Overlay, Place, ViewState } from "../../../src/tui/navigation/view-state.ts";
import { joinTexts } from "../../../src/tui/panes/overlay/help.ts";
import type { Size } from "../../../src/tui/panes/pane.ts";
import { renderScreen } from "../../../src/tui/panes/screen.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { AT_MS } from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { busyJob } from "../../support/monitor/jobs.ts";
import { busyOverview, busyWorker } from "../../support/monitor/overviews.ts";
import { EACH_LOOK, expectPane, rowFaults, THEMES } from "../pane-rows.ts";
import { screenOf } from "../screen-of.ts";

const FRAME_ROWS = 2;
const SIZE = { width: 80, height: 24 };
const SMALL = { width: 40, height: 8 };
const WIDE = { width: 120, height: 40 };

function overviewAt({ width, height }: Size, changes: Partial<ScreenModel> = {}): ScreenModel {
  const size = { width, height: height - FRAME_ROWS };
  return {
    ...screenOf({ kind: "overview" }, size, { shown: { kind: "overview", body: busyOverview() } }),
    ...changes,
  };
}

const placeAt = (
  place: Place,
  { width, height }: Size,
  changes: Partial<ScreenModel> = {},
): ScreenModel => ({
  ...screenOf(place, { width, height: height - FRAME_ROWS }),
  ...changes,
});

const looking = (model: ScreenModel, changes: Partial<ViewState>): ScreenModel => ({
  ...model,
  view: { ...model.view, ...changes },
});

const bare = (model: ScreenModel, theme = THEMES.mono) =>
  renderScreen(model, theme).map((row) => Bun.stripANSI(row));

const OVERLAYS: Readonly<Record<string, Overlay>> = {
  help: { kind: "help", query: "", top: 0 },
  "help-search": { kind: "help", query: "retry", top: 0 },
  palette: { kind: "palette", text: "jo", cursor: 2, choice: 1 },
  filter: { kind: "filter", text: "state:running", cursor: 13, before: "" },
  "filter-mistake": { kind: "filter", text: "colour:red", cursor: 10, before: "" },
  confirm: {
    kind: "confirm",
    confirm: {
      action: { kind: "cancel_job", jobId: 17 },
      question: 'Cancel job 17 "render-frames"? 340 running + 548 queued tasks stop.',
      mustType: null,
      typed: "",
      verb: "cc cancel 17",
    },
  },
  "confirm-typing": {
    kind: "confirm",
    confirm: {
      action: { kind: "cancel_job", jobId: 17 },
      question: 'Cancel job 17 "render-frames"? 340 running + 21,548 queued tasks stop.',
      mustType: "17",
      typed: "1",
      verb: "cc cancel 17",
    },
  },
};

const silent = {
  code: "connection_refused",
  message: "Nobody listens at ws://127.0.0.1:9000.",
  hint: null,
  retryable: true,
};

const NOTICES: Readonly<Record<string, (size: Size) => ScreenModel>> = {
  connecting: (size) =>
    overviewAt(size, { shown: null, link: { kind: "connecting", attempt: 1, error: null } }),
  "no-foreman": (size) =>
    overviewAt(size, {
      shown: null,
      dataAgeMs: null,
      link: { kind: "connecting", attempt: 4, error: silent },
      linkSinceMs: AT_MS - 9_000,
    }),
  "wrong-key": (size) =>
    overviewAt(size, {
      shown: null,
      link: {
        kind: "refused",
        error: {
          code: "wrong_role",
          message: "This key may not look. It is a worker's key.",
          hint: "A key with the scope view may; on the foreman's account that is --key-file /home/ann/admin.key",
          retryable: false,
        },
      },
    }),
  "wrong-version": (size) =>
    overviewAt(size, {
      shown: null,
      link: {
        kind: "refused",
        error: {
          code: "version_mismatch",
          message: "This is cc 0.3.0; the foreman is 0.1.0 and serves 0.1 and 0.0.",
          hint: "Upgrade the foreman.",
          retryable: false,
        },
      },
    }),
  "no-such-job": (size) =>
    placeAt({ kind: "job", jobId: 99 }, size, {
      failed: {
        code: "no_such_job",
        message: "There is no job 99.",
        hint: "See `cc jobs`.",
        retryable: false,
      },
    }),
  waiting: (size) => placeAt({ kind: "worker", workerId: "w03" }, size),
};

describe("over the dimmed place", () => {
  for (const [name, overlay] of Object.entries(OVERLAYS)) {
    test(`${name} keeps every row exact, at every size and in every look`, () => {
      for (const [, size, theme] of EACH_LOOK) {
        const rows = renderScreen(looking(overviewAt(size), { overlay }), theme);
        expect(rowFaults(rows, size, theme)).toEqual([]);
      }
    });

    for (const size of [SMALL, SIZE, WIDE])
      test(`${name} at ${size.width}x${size.height}`, () => {
        const rows = renderScreen(looking(overviewAt(size), { overlay }), THEMES.ansi16);
        expectPane(`screen/${name}-${size.width}x${size.height}`, rows);
      });
  }

  test("the help has every key of the place, made from the key table", () => {
    const model = looking(overviewAt({ width: 80, height: 80 }), {
      overlay: OVERLAYS["help"] ?? null,
    });
    const all = bare(model).join("\n");
    const screen = model.view.stack[0];
    const entries = screen === undefined ? [] : helpEntries(screen, false);
    expect(entries.length).toBeGreaterThan(40);
    for (const { keys } of entries) expect(all).toContain(keys);
  });

  test("the help is scrolled to its end and no further", () => {
    const help = { kind: "help", query: "", top: 999 } as const;
    const rows = bare(looking(overviewAt(SIZE), { overlay: help }));
    expect(rows.at(-2)).toContain("STATES O B Q Y R P C F X");
    expect(rows.some((row) => row.includes("all keys"))).toBe(true);
  });

  test("keys that belong together share words", () => {
    expect(joinTexts("a page down", "a page up")).toBe("a page down, up");
    expect(joinTexts("first pane", "second pane")).toBe("first, second pane");
    expect(joinTexts("open", "back")).toBe("open, back");
  });

  test("a question has No as its default, its verb, and what must be typed", () => {
    const asked = (name: string) =>
      bare(looking(overviewAt(SIZE), { overlay: OVERLAYS[name] ?? null })).join("\n");
    expect(asked("confirm")).toContain("[y/N]");
    expect(asked("confirm")).toContain("as a command: cc cancel 17");
    expect(asked("confirm-typing")).toContain("type 17, then y: 1");
  });

  test("a filter says what is wrong with it below itself, without giving up the list", () => {
    const rows = bare(looking(overviewAt(SIZE), { overlay: OVERLAYS["filter-mistake"] ?? null }));
    const at = rows.findIndex((row) => row.startsWith(" filter colour:red"));
    expect(rows[at + 1]).toContain('There is no field "colour" here');
    expect(rows.some((row) => row.includes("render-frames"))).toBe(true);
  });
});

describe("where there is nothing to show", () => {
  for (const [name, modelAt] of Object.entries(NOTICES)) {
    test(`${name} keeps every row exact, at every size and in every look`, () => {
      for (const [, size, theme] of EACH_LOOK)
        expect(rowFaults(renderScreen(modelAt(size), theme), size, theme)).toEqual([]);
    });

    for (const size of [SMALL, SIZE])
      test(`${name} at ${size.width}x${size.height}`, () => {
        expectPane(
          `screen/${name}-${size.width}x${size.height}`,
          renderScreen(modelAt(size), THEMES.ansi16),
        );
      });
  }

  test("no key is offered that could do nothing", () => {
    for (const modelAt of Object.values(NOTICES)) {
      const footer = bare(modelAt(SIZE)).at(-1) ?? "";
      expect(footer).not.toMatch(/filter|cancel|open/);
      expect(footer).toContain("q quit");
    }
  });
});

describe("the first row", () => {
  const first = (changes: Partial<ScreenModel>, view: Partial<ViewState> = {}, size: Size = SIZE) =>
    bare(looking(overviewAt(size, changes), view))[0] ?? "";

  test("says whether what is shown is true now", () => {
    expect(first({})).toContain("LIVE 12ms");
    expect(first({ dataAgeMs: 2_100 })).toContain("DATA 2s OLD");
    expect(first({ link: { kind: "connecting", attempt: 2, error: null } })).toContain(
      "CONNECTING (try 2)",
    );
    const lost = { kind: "lost", attempt: 4, error: null } as const;
    expect(first({ link: lost, linkSinceMs: AT_MS - 3_900 })).toContain("RECONNECTING 3s (try 4)");
    expect(first({ link: lost, dataAgeMs: 7_000 })).toContain("RECONNECTING 7s");
    expect(first({}, { frozenAtMs: AT_MS - 41_000 })).toContain("FROZEN 00:41");
    expect(first({}, { readOnly: true })).toContain("READ-ONLY");
  });

  test("says so also where there is hardly room for anything", () => {
    const lost = { kind: "lost", attempt: 40, error: null } as const;
    const narrow = first(
      { link: lost, linkSinceMs: AT_MS - 90_000 },
      { frozenAtMs: AT_MS - 1 },
      SMALL,
    );
    expect(narrow).toContain("LOST 1m30s");
    expect(narrow).toContain("FROZEN 00:00");
  });

  test("has the way from the overview to here, the last step at least", () => {
    const task = { kind: "task", jobId: 17, index: 48_211 } as const;
    const crumbs = (size: Size) => bare(placeAt(task, size))[0] ?? "";
    expect(crumbs(SIZE)).toStartWith("cc top > overview > job 17 > task 48211 ");
    expect(crumbs(SMALL)).toContain("task 48211");
  });

  test("says nothing of the place before", () => {
    const job = (jobId: number) =>
      bare(placeAt({ kind: "job", jobId }, SIZE, { shown: { kind: "job", body: busyJob() } }));
    expect(job(17)[0]).toContain("job 17 render-frames");
    expect(job(17)[0]).toContain("R running");
    expect(job(18)[0]).not.toMatch(/render-frames|running|ann/);
    expect(job(18).join("")).toContain("Waiting for job 18");
  });

  test("what was seen last is dimmed while nobody answers, not blank", () => {
    const model = overviewAt(SIZE, { link: { kind: "lost", attempt: 2, error: null } });
    const rows = renderScreen(model, THEMES.ansi16);
    expect(rows.slice(1, -1).every((row) => row.startsWith("\u001b[2m"))).toBe(true);
    expect(rows.join("\n")).toContain("render-frames");
  });
});

test("a terminal that is too small is told so in one line", () => {
  expect(bare(overviewAt({ width: 30, height: 8 }))).toEqual([
    "needs 40x8, is 30x8           ",
    ...Array.from({ length: 7 }, () => " ".repeat(30)),
  ]);
  expect(bare(overviewAt({ width: 200, height: 3 }))[0]).toStartWith("needs 40x8, is 200x3");
});

test("what was just said stands above the footer, with a word for its weight", () => {
  const said = (weight: "good" | "bad" | "pending" | "plain") =>
    bare(looking(overviewAt(SIZE), { toast: { weight, text: "job 17 paused", atMs: 0 } }))
      .at(-2)
      ?.trim();
  expect((["good", "bad", "pending", "plain"] as const).map(said)).toEqual([
    "ok: job 17 paused",
    "error: job 17 paused",
    "... job 17 paused",
    "job 17 paused",
  ]);
});

test("every place keeps every row exact at any size, whatever was typed or said", () => {
  const random = createRandom(21);
  const texts = hostileTexts(80, 3);
  const shown: readonly (readonly [Place, ScreenModel["shown"]])[] = [
    [{ kind: "overview" }, { kind: "overview", body: busyOverview() }],
    [
      { kind: "worker", workerId: "w03" },
      { kind: "worker", body: busyWorker() },
    ],
    [
      { kind: "job", jobId: 17 },
      { kind: "job", body: busyJob() },
    ],
    [{ kind: "log", jobId: 17, index: 3, attempt: null }, null],
  ];
  for (let round = 0; round < 400; round++) {
    const size = { width: 1 + random.below(310), height: 1 + random.below(90) };
    const theme = random.pick(Object.values(THEMES));
    const [place, body] = random.pick(shown);
    const text = random.pick(texts);
    const overlay = random.pick<Overlay | null>([
      null,
      { kind: "help", query: random.chance(0.5) ? "" : text, top: random.below(40) },
      { kind: "palette", text, cursor: random.below(text.length + 1), choice: random.below(5) },
      { kind: "filter", text, cursor: random.below(text.length + 1), before: "" },
      { kind: "search", text, cursor: 0, before: "" },
      {
        kind: "confirm",
        confirm: {
          action: [],
          question: text,
          mustType: random.chance(0.5) ? text.slice(0, 20) : null,
          typed: "",
          verb: text,
        },
      },
    ]);
    const model = looking(placeAt(place, size, { shown: body }), {
      overlay,
      toast: random.chance(0.3) ? { weight: "bad", text, atMs: 0 } : null,
      columnsFrom: random.below(6),
      readOnly: random.chance(0.2),
    });
    const failed = random.chance(0.1)
      ? { code: "x", message: text, hint: text, retryable: false }
      : null;
    const rows = renderScreen({ ...model, failed, url: `ws://${text}` }, theme);
    expect(rowFaults(rows, size, theme)).toEqual([]);
  }
});
