import { describe, expect, test } from "bun:test";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { KEY_TABLE } from "../../../src/tui/navigation/key-table.ts";
import type { NavAction, ShownLog } from "../../../src/tui/navigation/nav-types.ts";
import type { ListName } from "../../../src/tui/navigation/view-state.ts";
import { planLayout } from "../../../src/tui/panes/layout.ts";
import { createRandom, type Random } from "../../support/fuzz/random.ts";
import { createPerson, type Person } from "../../support/monitor/navigation.ts";
import { stepWorld } from "../../support/monitor/steps.ts";

const KEYS_EACH = 25_000;
const PRINTABLE = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at));
const KEYS = [
  ...new Set(KEY_TABLE.flatMap(({ keys }) => keys)),
  ...PRINTABLE.map((character) => (character === " " ? "space" : character)),
  ...["é", "👩‍💻", "f1", "backspace", "delete", "ctrl-w", "ctrl-k"],
];
const WITHOUT_YES = KEYS.filter((key) => key !== "y" && key !== "Y");

const randomLog = (random: Random): ShownLog => {
  const first = random.below(1000) - 500;
  const numbers = Array.from({ length: random.below(200) }, (_, at) => first + at * 2);
  const some = () => numbers.filter(() => random.chance(0.1));
  const top = numbers[random.below(numbers.length + 1)] ?? first;
  const edges = { atStart: random.chance(0.5), atEnd: random.chance(0.5) };
  return { top, numbers, hits: some(), errors: some(), ...edges };
};

/** What happens beside keys. */
function somethingElse(random: Random): NavAction {
  return random.pick<NavAction>([
    { kind: "shown" },
    { kind: "tick" },
    { kind: "paste", text: "state:failed\n" },
    { kind: "resize", columns: 20 + random.below(200), rows: 5 + random.below(60) },
    { kind: "failed_task", jobId: 17, index: random.chance(0.5) ? 12 : null },
    { kind: "hit", what: "search", direction: "forward", line: random.below(500) },
    { kind: "say", weight: "bad", text: "said" },
    {
      kind: "acted",
      results: [
        {
          request: { kind: "pause_job", jobId: 17, paused: true },
          outcome: random.chance(0.5)
            ? { ok: true, sentence: "job 17 is paused" }
            : {
                ok: false,
                error: { code: "x", message: "no", hint: null, retryable: false },
              },
        },
      ],
    },
  ]);
}

/** What must hold wherever one is. */
function check(person: Person): void {
  const state = person.state();
  expect(state.stack.length).toBeGreaterThan(0);
  expect(state.stack.length).toBeLessThanOrEqual(12);
  expect(state.stack[0]?.place.kind).toBe("overview");
  const screen = screenOf(state);
  for (const list of Object.values(screen.lists)) {
    expect(list.selectedAt).toBeGreaterThanOrEqual(0);
    expect(list.top).toBeGreaterThanOrEqual(0);
    expect(list.marked.size).toBeLessThanOrEqual(500);
  }
}

/** After the newest picture a selected row exists in its list, or there is none. */
function checkSelection(person: Person): void {
  const { place, lists } = screenOf(person.state());
  const isShown = (planLayout(person.state()).listRows.jobs ?? 0) > 0;
  if (place.kind !== "overview" || !isShown || lists.jobs?.filter !== "") return;
  const ids = person.world.jobs.map(({ job_id }) => String(job_id));
  const { selectedId } = lists.jobs;
  expect(selectedId === null ? ids.length === 0 : ids.includes(selectedId)).toBe(true);
}

function play(person: Person, random: Random, keys: readonly string[]): void {
  for (let at = 0; at < KEYS_EACH; at++) {
    if (random.chance(0.03)) person.act(somethingElse(random));
    if (random.chance(0.02)) person.with({ log: random.chance(0.8) ? randomLog(random) : null });
    if (random.chance(0.01)) stepWorld(person.world, random);
    if (random.chance(0.05)) {
      // Twice: a row that is lost from sight is asked for with the second.
      person.look().look();
      checkSelection(person);
    }
    person.act({ kind: "key", key: random.pick(keys) });
    check(person);
  }
}

describe("any keys on any pictures", () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`${KEYS_EACH} of them never throw, and Esc leads back to the overview (seed ${seed})`, () => {
      const person = createPerson();
      play(person, createRandom(seed), KEYS);
      for (let at = 0; at < 60; at++) person.act({ kind: "key", key: "escape" });
      expect(person.place()).toEqual({ kind: "overview" });
      expect(person.state().overlay).toBeNull();
      expect(screenOf(person.state()).lists.jobs?.filter ?? "").toBe("");
    });

    test(`without y nothing is ever done (seed ${seed})`, () => {
      const person = createPerson();
      const random = createRandom(100 + seed);
      for (let at = 0; at < KEYS_EACH; at++) {
        if (random.chance(0.05)) person.look();
        person.act({ kind: "key", key: random.pick(WITHOUT_YES) });
      }
      expect(person.effects.filter(({ kind }) => kind === "act")).toEqual([]);
    });
  }

  test("with --read-only nothing is ever done, whatever is pressed", () => {
    const person = createPerson({ readOnly: true });
    const random = createRandom(7);
    for (let at = 0; at < KEYS_EACH; at++) {
      if (random.chance(0.05)) person.look();
      person.act({ kind: "key", key: random.pick(KEYS) });
    }
    expect(person.effects.filter(({ kind }) => kind === "act")).toEqual([]);
  });
});

const listOf = (person: Person, name: ListName) => screenOf(person.state()).lists[name];

describe("a selection", () => {
  test("stays with its row wherever that moves", () => {
    const person = createPerson();
    person.press("down");
    const id = listOf(person, "jobs")?.selectedId;
    person.world.jobs = person.world.jobs.toReversed();
    person.look();
    expect(listOf(person, "jobs")?.selectedId).toBe(id as string);
  });

  test("goes to whatever has the place of a row that is gone", () => {
    const person = createPerson();
    person.press("down");
    const before = listOf(person, "jobs");
    const next = person.world.jobs;
    person.world.jobs = next.filter(({ job_id }) => String(job_id) !== before?.selectedId);
    person.look().look();
    expect(listOf(person, "jobs")?.selectedAt).toBe(before?.selectedAt as number);
    expect(listOf(person, "jobs")?.selectedId).not.toBe(before?.selectedId as string);
  });

  test("moves at once by position where the rows have not come yet, and takes its row then", () => {
    const person = createPerson({ place: { kind: "job", jobId: 17 } })
      .press("3")
      .look();
    person.press("G");
    expect(listOf(person, "tasks")?.selectedAt).toBe(203);
    person.look();
    expect(listOf(person, "tasks")?.selectedId).toBeString();
  });

  test("begins at the first row after another sort or filter", () => {
    const person = createPerson().press("2").look().press("j", "j", "j", "s");
    expect(listOf(person, "workers")).toMatchObject({ selectedAt: 0, selectedId: null, top: 0 });
    person.look();
    expect(listOf(person, "workers")?.selectedId).toBeString();
  });
});

describe("ways", () => {
  test("from the overview to the log of a failed task is one key", () => {
    const person = createPerson();
    selectJob(person, 17);
    person.press("l");
    expect(person.effects.at(-1)).toEqual({ kind: "find_failed", jobId: 17 });
    person.act({ kind: "failed_task", jobId: 17, index: 12 });
    expect(person.place()).toEqual({ kind: "log", jobId: 17, index: 12, attempt: null });
    const path = person.state().stack.map(({ place }) => place.kind);
    expect(path).toEqual(["overview", "job", "task", "log"]);
  });

  test("from a job that fails to why is two: it opens at its errors, and a group at its newest task", () => {
    const person = createPerson();
    selectJob(person, 17);
    person.press("enter", "enter");
    expect(person.place()).toEqual({ kind: "task", jobId: 17, index: 48_211 });
  });

  test("whoever has gone elsewhere is not carried to a log that is found late", () => {
    const person = createPerson();
    selectJob(person, 17);
    person.press("l", "2").look().press("enter");
    person.act({ kind: "failed_task", jobId: 17, index: 12 });
    expect(person.place().kind).toBe("worker");
  });

  test("Esc closes what is open, then the filter, then goes up", () => {
    const person = createPerson({ place: { kind: "job", jobId: 17 } })
      .press("3")
      .look();
    person.press("/", "type:state:failed", "enter", "?");
    person.press("escape");
    expect(person.state().overlay).toBeNull();
    expect(listOf(person, "tasks")?.filter).toBe("state:failed");
    person.press("escape");
    expect(listOf(person, "tasks")?.filter).toBe("");
    person.press("escape");
    expect(person.place()).toEqual({ kind: "overview" });
  });

  test("going to a place keeps what was done on the way to it", () => {
    const person = createPerson().press("/", "type:fit", "enter");
    person.press(":", "type:17/12", "enter");
    expect(person.place()).toEqual({ kind: "task", jobId: 17, index: 12 });
    person.press("escape", "escape");
    expect(listOf(person, "jobs")?.filter).toBe("fit");
  });
});

function selectJob(person: Person, jobId: number): void {
  const order = person.world.jobs.length;
  for (let at = 0; at < order && listOf(person, "jobs")?.selectedId !== String(jobId); at++) {
    person.press("j");
  }
  expect(listOf(person, "jobs")?.selectedId).toBe(String(jobId));
}
