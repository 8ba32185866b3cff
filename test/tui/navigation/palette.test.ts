import { describe, expect, test } from "bun:test";
import type { FocusBody } from "../../../src/tui/feed.ts";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { paletteChoices } from "../../../src/tui/navigation/palette.ts";
import { PALETTE_COMMANDS } from "../../../src/tui/navigation/palette-commands.ts";
import { overviewView, windowOf, workerRowId } from "../../support/monitor/fixtures.ts";
import { createPerson, type Person } from "../../support/monitor/navigation.ts";

const type = (text: string, person = createPerson()): Person =>
  person.press(":", `type:${text}`, "enter");

const shown = (person: Person): FocusBody => {
  const jobs = windowOf(person.world.jobs, ({ job_id }) => String(job_id));
  const workers = windowOf(person.world.workers, workerRowId);
  return { kind: "overview", body: overviewView({ jobs, workers }) };
};

const choices = (text: string, person = createPerson()): readonly string[] =>
  paletteChoices(text, person.state(), { shown: shown(person) }).map((choice) => choice.text);

describe("a typed command", () => {
  test("opens places", () => {
    expect(type("job 17").place()).toEqual({ kind: "job", jobId: 17 });
    expect(type("17").place()).toEqual({ kind: "job", jobId: 17 });
    expect(type("17/3").place()).toEqual({ kind: "task", jobId: 17, index: 3 });
    expect(type("worker w03").place()).toEqual({ kind: "worker", workerId: "w03" });
    expect(type("log 17/3").place()).toEqual({ kind: "log", jobId: 17, index: 3, attempt: null });
    expect(type("log 17").place()).toMatchObject({ kind: "log", index: null });
    const workers = type("workers", createPerson({ place: { kind: "job", jobId: 17 } }));
    expect(workers.place()).toEqual({ kind: "overview" });
    expect(screenOf(workers.state()).pane).toBe(1);
  });

  test("sets how things look", () => {
    expect(type("theme cb").state().theme).toBe("cb");
    expect(type("graph block").state().graph).toBe("block");
    expect(type("window 10m").state().chartWindow).toBe("10m");
    expect(type("ascii").state().ascii).toBe(true);
    expect(screenOf(type("sort rate").state()).lists.jobs?.sort).toBe("rate");
    expect(screenOf(type("filter state:active").state()).lists.jobs?.filter).toBe("state:active");
    expect(type("help").state().overlay?.kind).toBe("help");
    expect(type("q").effects).toEqual([{ kind: "quit" }]);
  });

  test("asks before it does something, as its key does", () => {
    for (const text of ["cancel 17", "retry 17", "pause 17", "drain w03", "kill 17/78100"]) {
      const person = type(text);
      expect([text, person.state().overlay?.kind]).toEqual([text, "confirm"]);
    }
    expect(type("priority 20").state().overlay?.kind).toBe("confirm");
  });

  test("that is wrong says what is wrong and what there is", () => {
    const wrong = [
      ["frobnicate", 'no command "frobnicate" (: and Tab for all)'],
      ["theme pink", 'no theme "pink"; there are ansi16, cb, mono'],
      ["sort colour", /^no column "colour"; there are id, name, /],
      ["job x", '"x" is no job; expected a number'],
      ["filter state:lost", /is no state here: active/],
      ["priority 101", '"101" is no priority; expected -100 to 100'],
    ] as const;
    for (const [text, said] of wrong) {
      const person = type(text);
      if (typeof said === "string") expect(person.toast()).toBe(said);
      else expect(person.toast()).toMatch(said);
    }
  });

  test("that wants something more is filled in and waits for it", () => {
    const person = type("theme");
    expect(person.state().overlay).toMatchObject({ kind: "palette", text: "theme " });
  });

  test("that changes something is off with --read-only", () => {
    const person = createPerson({ readOnly: true });
    expect(type("cancel 17", person).toast()).toBe("read-only: cancel is off");
    expect(choices("ca", person)).toEqual([]);
  });
});

describe("completion", () => {
  test("knows commands and the ids on the screen", () => {
    expect(choices("wo")).toEqual(["worker ", "workers"]);
    expect(choices("worker w0")).toContain("worker w03");
    expect(choices("job ")).toContain("job 17");
    expect(choices("1")).toContain("17");
    expect(choices("theme ")).toEqual(["theme ansi16", "theme cb", "theme mono"]);
  });

  test("is taken by Tab, chosen by arrows, and done by Enter", () => {
    const person = createPerson().press(":", "type:them", "tab");
    expect(person.state().overlay).toMatchObject({ text: "theme ", cursor: 6 });
    person.press("down", "enter");
    expect(person.state().theme).toBe("cb");
  });

  test("closes with Esc, and with Backspace when nothing is typed", () => {
    for (const key of ["escape", "backspace"]) {
      expect(createPerson().press(":", key).state().overlay).toBeNull();
    }
  });
});

test("pasted text goes into the field that is open and is no command elsewhere", () => {
  const person = createPerson();
  person.act({ kind: "paste", text: "cy" });
  expect(person.state().overlay).toBeNull();
  expect(person.toast()).toBe("pasted text is taken by / and : only");
  person.press("/").act({ kind: "paste", text: "state:active\n" });
  expect(person.state().overlay).toMatchObject({ kind: "filter", text: "state:active " });
  expect(screenOf(person.state()).lists.jobs?.filter).toBe("state:active");
});

test("a filter that cannot be read leaves the list as it was and stays open", () => {
  const person = createPerson().press("/", "type:state:activ", "enter");
  expect(screenOf(person.state()).lists.jobs?.filter).toBe("state:activ");
  person.press("/", "ctrl-u", "type:cpu>", "enter");
  expect(person.state().overlay?.kind).toBe("filter");
  person.press("escape");
  expect(screenOf(person.state()).lists.jobs?.filter).toBe("state:activ");
});

test("every command of the palette can be typed anywhere without a fault", () => {
  const places = [
    { kind: "overview" },
    { kind: "job", jobId: 17 },
    { kind: "task", jobId: 17, index: 12 },
    { kind: "worker", workerId: "w03" },
    { kind: "log", jobId: 17, index: 12, attempt: null },
  ] as const;
  for (const place of places) {
    for (const { name } of PALETTE_COMMANDS) {
      for (const argument of ["", " 17", " 17/3", " w03", " nonsense"]) {
        expect(() => type(name + argument, createPerson({ place }))).not.toThrow();
      }
    }
  }
});
