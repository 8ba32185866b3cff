import { describe, expect, test } from "bun:test";
import { createManualClock, type ManualClock } from "../../../src/runtime/platform/clock.ts";
import type { Focus } from "../../../src/tui/feed.ts";
import {
  createMonitorStore,
  type MonitorStore,
  type OutsideEffect,
  type Urgency,
} from "../../../src/tui/model/monitor-store.ts";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { createView, type ViewOptions } from "../../../src/tui/navigation/initial-view.ts";
import { planLayout } from "../../../src/tui/panes/layout.ts";
import { taskRow } from "../../support/monitor/fixtures.ts";
import { createReplayFeed, type ReplayFeed } from "../../support/monitor/replay-feed.ts";

interface Monitor {
  readonly store: MonitorStore;
  readonly replay: ReplayFeed;
  readonly clock: ManualClock;
  readonly told: Urgency[];
  readonly effects: OutsideEffect[];
  press(...keys: readonly string[]): void;
  list(name: "jobs" | "workers" | "tasks"): ReturnType<typeof listOf>;
}

const listOf = (store: MonitorStore, name: "jobs" | "workers" | "tasks") =>
  screenOf(store.screen().view).lists[name];

/** Everything that was put off until now has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

function open(
  view: Partial<ViewOptions> = {},
  replay = createReplayFeed({ answersAtOnce: false }),
): Monitor {
  const clock = createManualClock();
  const effects: OutsideEffect[] = [];
  const store = createMonitorStore({
    openFeed: replay.open,
    clock,
    view: createView({ columns: 80, rows: 24, ...view }),
    planLayout,
    textRows: () => 100,
    onEffect: (effect) => effects.push(effect),
  });
  const told: Urgency[] = [];
  store.subscribe((urgency) => told.push(urgency));
  return {
    store,
    replay,
    clock,
    told,
    effects,
    press(...keys) {
      for (const key of keys) store.dispatch({ kind: "key", key });
    },
    list: (name) => listOf(store, name),
  };
}

const windowOf = (focus: Focus | undefined) =>
  focus?.kind === "overview" ? focus.jobs : focus?.kind === "job" ? focus.tasks : null;

describe("what is looked at", () => {
  test("is asked for at once and shown when it comes", () => {
    const { store, replay, told } = open();
    expect(replay.looked).toHaveLength(1);
    expect(store.screen().shown).toBeNull();
    replay.answer();
    expect(store.screen().shown?.kind).toBe("overview");
    expect(listOf(store, "jobs")?.selectedId).toBeString();
    expect(told).toContain("key");
  });

  test("is another place at once, and the one before is there again on the way back", () => {
    const { store, replay, press } = open();
    replay.answer();
    press("enter");
    expect(replay.looked.at(-1)?.kind).toBe("job");
    expect(store.screen().shown).toBeNull();
    replay.answer();
    expect(store.screen().shown?.kind).toBe("job");
    press("escape");
    expect(store.screen().shown?.kind).toBe("overview");
  });

  test("does not change for a late answer to an older question", () => {
    const replay = createReplayFeed({ answersAtOnce: false });
    const { store, press } = open({}, replay);
    replay.answer();
    press("enter");
    const job = replay.looked.at(-1);
    press("escape");
    expect(job?.kind).toBe("job");
    // The overview is asked for again; what came for the job by now is not of this place.
    replay.answer();
    expect(store.screen().shown?.kind).toBe("overview");
  });

  test("that is not there is told, and looked for again after a while", () => {
    const { store, replay, clock } = open({ place: { kind: "job", jobId: 999 } });
    replay.answer();
    expect(store.screen().failed?.code).toBe("no_such_job");
    const asked = replay.looked.length;
    clock.advance(10_000);
    expect(replay.looked.length).toBeGreaterThan(asked);
    expect(replay.looked.length).toBeLessThan(asked + 4);
  });

  test("has an age, and the link a state since when", () => {
    const { store, replay, clock } = open();
    expect(store.screen().dataAgeMs).toBeNull();
    replay.answer();
    clock.advance(3_000);
    expect(store.screen().dataAgeMs).toBe(3_000);
    const error = { code: "x", message: "gone", hint: null, retryable: true };
    replay.setLink({ kind: "lost", attempt: 1, error });
    expect(store.screen().linkSinceMs).toBe(clock.nowMs());
    clock.advance(2_000);
    replay.setLink({ kind: "lost", attempt: 2, error });
    expect(store.screen().linkSinceMs).toBe(clock.nowMs() - 2_000);
    replay.push();
    expect(store.screen().dataAgeMs).toBe(0);
  });
});

describe("a long list", () => {
  const TASKS = 2_000;

  function longJob(): ReplayFeed {
    const replay = createReplayFeed();
    const tasks = Array.from({ length: TASKS }, (_, index) => taskRow({ index }));
    replay.world.tasks.set(17, tasks);
    return replay;
  }

  test("is scrolled by a held-down key without losing a press, asking a few times a second", async () => {
    const replay = longJob();
    const { press, list, clock } = open({ place: { kind: "job", jobId: 17 } }, replay);
    await settled();
    press("3", "j", "k", "g");
    await settled();
    const asked = replay.looked.length;
    for (let at = 0; at < 300; at++) {
      press("j");
      expect(list("tasks")?.selectedAt).toBe(at + 1);
      clock.advance(33);
      await settled();
    }
    // Ten seconds of it.
    expect(replay.looked.length - asked).toBeLessThan(51);
    expect(list("tasks")?.selectedId).not.toBeNull();
  });

  test("goes to its end at once; its rows come when they come", async () => {
    const replay = longJob();
    const { press, list, clock, store } = open({ place: { kind: "job", jobId: 17 } }, replay);
    await settled();
    press("3", "G");
    expect(list("tasks")).toMatchObject({ selectedAt: TASKS - 1, selectedId: null });
    clock.advance(300);
    await settled();
    expect(list("tasks")?.selectedId).toBeString();
    const shown = store.screen().shown;
    expect(shown?.kind === "job" && shown.body.tasks.order.length).toBeLessThan(200);
  });

  test("asks for nothing while the cursor stays inside what is there", async () => {
    const replay = longJob();
    const { press, clock } = open({ place: { kind: "job", jobId: 17 }, rows: 40 }, replay);
    await settled();
    press("3");
    clock.advance(1_000);
    await settled();
    const asked = replay.looked.length;
    for (let at = 0; at < 8; at++) press("j");
    clock.advance(1_000);
    await settled();
    expect(replay.looked).toHaveLength(asked);
  });

  test("is filtered while typing, a few times a second at most, and ends with what was typed", () => {
    const { replay, press, clock, list } = open();
    replay.answer();
    const asked = replay.looked.length;
    for (const key of ["/", ..."state:active"]) {
      press(key);
      clock.advance(50);
      replay.answer();
    }
    clock.advance(1_000);
    expect(list("jobs")?.filter).toBe("state:active");
    expect(windowOf(replay.looked.at(-1))?.filter).toBe("state:active");
    // 13 keys in 650 ms.
    expect(replay.looked.length - asked).toBeLessThan(6);
  });

  test("is looked for a row that has gone from sight by a re-sort", async () => {
    const replay = longJob();
    const { press, list, clock } = open({ place: { kind: "job", jobId: 17 } }, replay);
    await settled();
    press("3", "j", "j");
    clock.advance(1_000);
    await settled();
    const id = list("tasks")?.selectedId ?? "";
    const tasks = replay.world.tasks.get(17) ?? [];
    replay.world.tasks.set(17, tasks.toReversed());
    clock.advance(3_000);
    replay.push();
    await settled();
    clock.advance(3_000);
    await settled();
    expect(list("tasks")?.selectedId).toBe(id);
  });
});

describe("a picture that is frozen", () => {
  test("stands still while data comes, and is current again afterwards", () => {
    const { store, replay, press } = open();
    replay.answer();
    press("space");
    const before = store.screen().shown;
    replay.world.jobs = replay.world.jobs.slice(1);
    replay.push();
    expect(store.screen().shown).toBe(before);
    press("space");
    expect(store.screen().shown).not.toBe(before);
  });

  test("is given up for another place", () => {
    const { store, replay, press } = open();
    replay.answer();
    press("space", "enter");
    expect(store.screen().view.frozenAtMs).toBeNull();
  });
});

describe("what is done", () => {
  test("is pending until it is acknowledged, each request for itself", async () => {
    const { store, replay, press } = open();
    replay.answer();
    const answers = Promise.withResolvers<{ sentence: string }>();
    replay.onAct(() => answers.promise);
    press("p", "y");
    expect(replay.acted).toHaveLength(1);
    expect(store.screen().view.toast?.weight).toBe("pending");
    answers.resolve({ sentence: "it is paused" });
    await settled();
    expect(store.screen().view.toast?.text).toContain("it is paused");
  });

  test("that fails is said with the foreman's words", async () => {
    const { store, replay, press } = open();
    replay.answer();
    replay.onAct(() =>
      Promise.reject({ code: "forbidden", message: "You may not.", hint: null, retryable: false }),
    );
    press("p", "y");
    await settled();
    expect(store.screen().view.toast).toMatchObject({ weight: "bad" });
    expect(store.screen().view.toast?.text).toContain("You may not.");
  });

  test("is taken away from the screen after a while", async () => {
    const { store, replay, press, clock } = open();
    replay.answer();
    press("v");
    expect(store.screen().view.toast).not.toBeNull();
    clock.advance(6_000);
    expect(store.screen().view.toast).toBeNull();
  });
});

describe("a log", () => {
  test("of the newest failed task opens by one key and is read", async () => {
    const { store, replay, press } = open({}, createReplayFeed());
    await settled();
    replay.log.append("why it failed");
    press("g");
    while (listOf(store, "jobs")?.selectedId !== "17") press("j");
    press("l");
    await settled();
    expect(screenOf(store.screen().view).place).toMatchObject({ kind: "log", jobId: 17 });
    expect(store.screen().log?.lines.map(({ text }) => text)).toEqual(["why it failed"]);
  });

  test("is not read any more once it is left", async () => {
    const place = { kind: "log", jobId: 17, index: 12, attempt: null } as const;
    const { store, replay, press } = open({ place }, createReplayFeed());
    replay.log.append("one");
    await settled();
    press("escape");
    const asked = replay.logQueries.length;
    replay.log.append("two");
    await settled();
    expect(store.screen().log).toBeNull();
    expect(replay.logQueries).toHaveLength(asked);
  });

  test("begins anew for another attempt", async () => {
    const place = { kind: "log", jobId: 17, index: 12, attempt: null } as const;
    const { replay, press } = open({ place }, createReplayFeed());
    await settled();
    press("a");
    await settled();
    expect(replay.logQueries.map(({ attempt }) => attempt)).toContain(1);
  });
});

test("the clock is told once a second and nothing else while nothing happens", () => {
  const { told, replay, clock } = open();
  replay.answer();
  told.length = 0;
  clock.advance(5_000);
  expect(told).toEqual(["data", "data", "data", "data", "data"]);
});

test("closing stops everything", () => {
  const { store, replay, clock } = open();
  store.close();
  expect(replay.isClosed).toBe(true);
  expect(clock.pendingTimerCount).toBe(0);
  replay.push();
  store.dispatch({ kind: "key", key: "j" });
  expect(store.screen().shown).toBeNull();
});
