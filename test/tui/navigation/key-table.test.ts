import { describe, expect, test } from "bun:test";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { footerHints, helpEntries } from "../../../src/tui/navigation/key-hints.ts";
import {
  bindingsHere,
  type CommandId,
  isValidIn,
  KEY_TABLE,
  type KeyBinding,
} from "../../../src/tui/navigation/key-table.ts";
import type { ShownLog } from "../../../src/tui/navigation/nav-types.ts";
import { type PaneName, panesOf } from "../../../src/tui/navigation/panes-of.ts";
import type { Place, ScreenState } from "../../../src/tui/navigation/view-state.ts";
import { planLayout } from "../../../src/tui/panes/layout.ts";
import { createPerson, type Person } from "../../support/monitor/navigation.ts";

const PLACES: readonly Place[] = [
  { kind: "overview" },
  { kind: "job", jobId: 17 },
  { kind: "task", jobId: 17, index: 48_211 },
  { kind: "worker", workerId: "w03" },
  { kind: "log", jobId: 17, index: 48_211, attempt: null },
];

/** Every pane of every place. */
const PANES = PLACES.flatMap((place) => panesOf(place).map((pane) => ({ place, pane })));

const LOG: ShownLog = {
  top: 40,
  numbers: Array.from({ length: 100 }, (_, at) => at),
  hits: [50, 60],
  errors: [52, 70],
  atStart: true,
  atEnd: true,
};

/** Somebody who stands in a pane of a place, in the middle of things. */
function personIn(place: Place, pane: PaneName): Person {
  const person = createPerson({ place });
  while (panesOf(place)[screenOf(person.state()).pane] !== pane) person.press("tab");
  if (place.kind !== "log") return person.look().press("down", "down").look();
  return person.with({ log: LOG }).press("up");
}

const bindingsIn = (place: Place, pane: PaneName): readonly KeyBinding[] =>
  KEY_TABLE.filter((binding) => isValidIn(binding, place.kind, pane));

describe("the key table", () => {
  test("has one command for a key in each place, in whichever pane", () => {
    for (const { kind } of PLACES) {
      const commands = new Map<string, CommandId>();
      for (const binding of KEY_TABLE) {
        const isHere =
          binding.where === null || binding.where.some((where) => where.split("/")[0] === kind);
        if (!isHere) continue;
        for (const key of binding.keys) {
          expect([kind, key, commands.get(key) ?? binding.command]).toEqual([
            kind,
            key,
            binding.command,
          ]);
          commands.set(key, binding.command);
        }
      }
    }
  });

  test("describes a key once in each pane", () => {
    for (const { place, pane } of PANES) {
      const keys = bindingsIn(place, pane).flatMap((binding) => binding.keys);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  test("names only panes that there are", () => {
    const names = new Set([
      ...PLACES.map(({ kind }) => kind as string),
      ...PANES.map(({ place, pane }) => `${place.kind}/${pane}`),
    ]);
    for (const { where } of KEY_TABLE)
      for (const name of where ?? []) expect(names).toContain(name);
  });

  test("gives the footer the most useful keys first and the help last", () => {
    for (const { place, pane } of PANES) {
      const hints = footerHints(personIn(place, pane).state());
      expect(hints.at(-1)).toEqual({ keys: "?", label: "all keys" });
      expect(new Set(hints.map(({ keys }) => keys)).size).toBe(hints.length);
    }
    const [first] = footerHints(personIn({ kind: "overview" }, "jobs").state());
    expect(first).toEqual({ keys: "Enter", label: "open" });
  });

  test("hides what changes something with --read-only, in the footer and in the help", () => {
    const person = createPerson({ readOnly: true });
    const screen = screenOf(person.state());
    expect(helpEntries(screen, true).filter(({ group }) => group === "ACT")).toEqual([]);
    expect(helpEntries(screen, false).filter(({ group }) => group === "ACT")).not.toEqual([]);
    expect(footerHints(person.state()).map(({ keys }) => keys)).not.toContain("c");
    person.press("c");
    expect(person.state().overlay).toBeNull();
    expect(person.toast()).toBe("read-only: c (cancel) is off");
  });

  test("is searched by words of its help", () => {
    const screen = screenOf(personIn({ kind: "overview" }, "jobs").state());
    const found = helpEntries(screen, false, "retry job");
    expect(found.map(({ keys }) => keys)).toEqual(["r"]);
  });
});

/** What must be seen after a key; a command without an entry here fails the test below. */
type Seen = (before: Moment, after: Moment) => boolean;

interface Moment {
  readonly person: Person;
  readonly screen: ScreenState;
  readonly state: ReturnType<Person["state"]>;
  readonly effects: readonly string[];
}

const moment = (person: Person): Moment => ({
  person,
  screen: screenOf(person.state()),
  state: person.state(),
  effects: person.effects.map(({ kind }) => kind),
});

/** How far down one is: the row of a list, of a text, or the line of a log. */
function position({ screen, state }: Moment): number {
  if (screen.log !== null) {
    const { follows, top } = screen.log;
    return follows ? Number.MAX_SAFE_INTEGER : top;
  }
  const pane = panesOf(screen.place)[screen.pane];
  const list = screen.lists[pane as "jobs"];
  return list?.selectedAt ?? screen.textTop + (state.stack.length > 99 ? 1 : 0);
}

const isDeeper: Seen = (before, after) => after.state.stack.length > before.state.stack.length;
const asks: Seen = (_, after) =>
  after.state.overlay?.kind === "confirm" || after.state.toast !== null;
const said: Seen = (_, after) => after.state.toast !== null;
const effect =
  (kind: string): Seen =>
  (_, after) =>
    after.effects.includes(kind);
const differs =
  (of: (at: Moment) => unknown): Seen =>
  (before, after) =>
    JSON.stringify(of(before)) !== JSON.stringify(of(after));
const logOf = ({ screen }: Moment) => screen.log;
/** A list at its end, or a pane that is no list, stays where it is. */
const down: Seen = (before, after) => position(after) >= position(before);
const up: Seen = (before, after) => position(after) <= position(before);

const SEEN: Readonly<Record<CommandId, Seen>> = {
  down,
  up,
  "page-down": down,
  "page-up": up,
  "half-down": down,
  "half-up": up,
  first: (_, after) => position(after) <= 0,
  last: down,
  open: (before, after) =>
    isDeeper(before, after) || after.screen.pane !== before.screen.pane || said(before, after),
  back: (before, after) =>
    before.screen.place.kind === "overview" || after.state.stack.length < before.state.stack.length,
  "next-pane": differs(({ screen }) => screen.pane),
  "previous-pane": differs(({ screen }) => screen.pane),
  "pane-1": (_, after) => after.screen.pane === 0,
  "pane-2": (_, after) => after.screen.pane === 1,
  "pane-3": (_, after) => after.screen.pane === 2,
  left: (before, after) =>
    after.screen.log !== null || after.state.columnsFrom <= before.state.columnsFrom,
  right: (before, after) =>
    (after.screen.log?.left ?? 1) > 0 && after.state.columnsFrom >= before.state.columnsFrom,
  filter: (_, after) => after.state.overlay?.kind === "filter",
  "log-filter": (_, after) => after.state.overlay?.kind === "filter",
  search: (_, after) => after.state.overlay?.kind === "search",
  "next-hit": said,
  "previous-hit": said,
  "next-error": (_, after) => after.screen.log?.hitAt === 52,
  "previous-error": said,
  sort: differs(({ screen }) => Object.values(screen.lists).map(({ sort }) => sort)),
  reverse: differs(({ screen }) => Object.values(screen.lists).map(({ reverse }) => reverse)),
  mark: (_, after) => Object.values(after.screen.lists).some(({ marked }) => marked.size === 1),
  "mark-all": (_, after) =>
    Object.values(after.screen.lists).some(({ marked, marksAll }) => marked.size > 1 || marksAll),
  palette: (_, after) => after.state.overlay?.kind === "palette",
  cancel: asks,
  kill: asks,
  retry: asks,
  "retry-task": asks,
  pause: asks,
  drain: asks,
  raise: asks,
  lower: asks,
  undo: said,
  log: (before, after) => isDeeper(before, after) || after.effects.includes("find_failed"),
  "whole-log": (_, after) => after.screen.place.kind === "log" && after.screen.place.index === null,
  worker: (before, after) => after.screen.place.kind === "worker" || said(before, after),
  freeze: (_, after) => after.state.frozenAtMs !== null,
  zoom: (_, after) => after.screen.isZoomed,
  longer: (_, after) => after.state.chartWindow === "10m",
  shorter: (_, after) => after.state.chartWindow === "2m",
  earlier: (_, after) => after.state.backSeconds === 60,
  later: (_, after) => after.state.backSeconds === 0,
  copy: (before, after) => effect("copy")(before, after) || said(before, after),
  pager: effect("page_out"),
  follow: (_, after) => after.screen.log?.follows === true,
  "follow-toggle": (_, after) => after.screen.log?.follows === true,
  attempt: differs(({ screen, state }) => [screen.place, state.toast]),
  streams: differs(logOf),
  wrap: differs(logOf),
  time: differs(logOf),
  theme: (_, after) => after.state.theme === "cb",
  redraw: effect("redraw"),
  help: (_, after) => after.state.overlay?.kind === "help",
  quit: effect("quit"),
  "quit-now": effect("quit"),
  suspend: effect("suspend"),
};

describe("every key does what it says", () => {
  for (const { place, pane } of PANES) {
    test(`in ${place.kind}, pane ${pane}`, () => {
      for (const binding of bindingsIn(place, pane)) {
        for (const key of binding.keys) {
          const person = personIn(place, pane);
          const before = moment(person);
          person.act({ kind: "key", key });
          const isSeen = SEEN[binding.command](before, moment(person));
          expect([`${key}: ${binding.help}`, isSeen]).toEqual([`${key}: ${binding.help}`, true]);
        }
      }
    });
  }

  test("moving goes by rows, pages and to the ends", () => {
    const person = createPerson({ place: { kind: "job", jobId: 17 } })
      .press("3")
      .look();
    const at = () => screenOf(person.state()).lists.tasks?.selectedAt;
    const rows = planLayout(person.state()).listRows.tasks ?? 0;
    person.press("j", "down");
    expect(at()).toBe(2);
    person.press("k", "up", "pagedown");
    expect(at()).toBe(rows);
    person.press("pageup", "ctrl-d");
    expect(at()).toBe(rows >> 1);
    person.press("ctrl-u", "G");
    expect(at()).toBe(203);
    person.press("g");
    expect(at()).toBe(0);
  });

  test("a key of another pane says where it is valid, and an unknown key that it is none", () => {
    const person = personIn({ kind: "overview" }, "events");
    person.press("c");
    expect(person.toast()).toBe('"c" (cancel the job, or the marked ones): not here (? for keys)');
    person.press("v");
    expect(person.toast()).toBe('no action on "v" here (? for keys)');
    person.press("j");
    expect(person.toast()).toBeNull();
  });

  test("help shows each key of the pane", () => {
    for (const { place, pane } of PANES) {
      const screen = screenOf(personIn(place, pane).state());
      expect(helpEntries(screen, false)).toHaveLength(bindingsHere(screen, false).length);
    }
  });
});
