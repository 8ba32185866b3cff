import { describe, expect, test } from "bun:test";
import type { ActionRequest } from "../../../src/tui/feed.ts";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { reverseOf, verbOf } from "../../../src/tui/navigation/verbs.ts";
import type { ConfirmState } from "../../../src/tui/navigation/view-state.ts";
import { createPerson, type Person } from "../../support/monitor/navigation.ts";

const asked = (person: Person): ConfirmState => {
  const { overlay } = person.state();
  if (overlay?.kind !== "confirm") throw new Error(`nothing is asked: ${person.toast()}`);
  return overlay.confirm;
};

const done = (person: Person): readonly ActionRequest[] =>
  person.effects.flatMap((effect) => (effect.kind === "act" ? effect.requests : []));

/** With the cursor on this job of the overview. */
function onJob(jobId: number, person = createPerson()): Person {
  const selected = () => screenOf(person.state()).lists.jobs?.selectedId;
  for (let at = 0; at < person.world.jobs.length && selected() !== String(jobId); at++) {
    person.press("j");
  }
  expect(selected()).toBe(String(jobId));
  return person;
}

/** The same installation with few tasks in job 17. */
function smallJob(): Person {
  const person = createPerson();
  person.world.jobs = person.world.jobs.map((job) =>
    job.job_id === 17 ? { ...job, tasks: { ...job.tasks, queued: 5, running: 2 } } : job,
  );
  return onJob(17, person.look());
}

describe("a question", () => {
  test("names the object and what will happen, and what one would type", () => {
    const question = asked(smallJob().press("c"));
    expect(question.question).toBe(
      'Cancel job 17 "render-frames"? 2 running + 5 queued tasks stop.',
    );
    expect(question.verb).toBe("cc cancel 17");
    expect(question.mustType).toBeNull();
  });

  test("is answered by y alone; everything else leaves all as it is", () => {
    for (const key of ["enter", "escape", "n"]) {
      const person = smallJob().press("c", key);
      expect(person.state().overlay).toBeNull();
      expect(person.toast()).toBe("nothing was done");
      expect(done(person)).toEqual([]);
    }
    const person = smallJob().press("c", "j", "q", "space");
    expect(asked(person)).toBeDefined();
    person.press("y");
    expect(done(person)).toEqual([{ kind: "cancel_job", jobId: 17 }]);
    expect(person.toast()).toBe("cancelling job 17 …");
  });

  test("about more than 1,000 tasks wants the job's number typed before y counts", () => {
    const person = onJob(17).press("c");
    expect(asked(person).mustType).toBe("17");
    person.press("y");
    expect(done(person)).toEqual([]);
    person.press("backspace", "1", "7", "9", "y");
    expect(done(person)).toEqual([]);
    person.press("backspace", "backspace");
    expect(asked(person).typed).toBe("17");
    person.press("y");
    expect(done(person)).toEqual([{ kind: "cancel_job", jobId: 17 }]);
  });

  test("about exactly 1,000 tasks is answered by y, about one more not", () => {
    for (const [queued, mustType] of [
      [998, null],
      [999, "17"],
    ] as const) {
      const person = createPerson();
      person.world.jobs = person.world.jobs.map((job) =>
        job.job_id === 17 ? { ...job, tasks: { ...job.tasks, queued, running: 2 } } : job,
      );
      expect(asked(onJob(17, person.look()).press("c")).mustType).toBe(mustType);
    }
  });

  test("about all workers wants the word all", () => {
    const person = createPerson().press("2").look().press("M").look().press("d");
    expect(asked(person).mustType).toBe("all");
    expect(asked(person).question).toStartWith("Drain 11 workers (");
    person.press("type:all", "y");
    expect(done(person)).toHaveLength(11);
    const some = createPerson().press("2").look().press("m", "m", "d");
    expect(asked(some).mustType).toBeNull();
  });

  test("is not asked where there is nothing to do, and the reason is said", () => {
    const completed = createPerson();
    completed.world.jobs = completed.world.jobs.map((job) => ({
      ...job,
      state: "completed",
      tasks: { ...job.tasks, failed: 0, cancelled: 0, queued: 0, running: 0 },
    }));
    onJob(17, completed.look());
    const reasons = [
      ["c", "job 17 is completed: nothing to cancel"],
      ["p", "job 17 is completed: nothing to pause"],
      ["r", "job 17 has no failed or cancelled tasks: nothing to retry"],
      ["+", "job 17 is completed: its priority changes nothing"],
    ] as const;
    for (const [key, reason] of reasons) {
      completed.press(key);
      expect(completed.state().overlay).toBeNull();
      expect(completed.toast()).toBe(reason);
    }
  });

  test("about single tasks is only asked where a task can be", () => {
    const failed = createPerson({ place: { kind: "task", jobId: 17, index: 12 } });
    failed.press("x");
    expect(failed.toast()).toBe("task 17/12 is failed: nothing to kill");
    expect(asked(failed.press("R")).question).toStartWith("Retry task 17/12?");
    failed.press("y");
    expect(done(failed)).toEqual([{ kind: "retry_tasks", jobId: 17, indexes: [12] }]);
  });

  test("takes marked rows before the one under the cursor", () => {
    const person = createPerson({ place: { kind: "job", jobId: 17 } })
      .press("3")
      .look();
    person.press("/", "type:state:failed", "enter").look().press("M").look();
    const { marked } = screenOf(person.state()).lists.tasks ?? { marked: new Set() };
    expect(marked.size).toBe(4);
    expect(asked(person.press("R")).question).toStartWith("Retry 4 tasks?");
    person.press("y");
    const [request] = done(person);
    expect(request?.kind === "retry_tasks" && request.indexes.toSorted((a, b) => a - b)).toEqual([
      12, 871, 9120, 48_211,
    ]);
  });

  test("about the priority can be changed while it is asked", () => {
    const person = onJob(17).press("+");
    expect(asked(person).question).toContain("from 5 to 10?");
    person.press("+", "+", "-", "y");
    expect(done(person)).toEqual([{ kind: "set_priority", jobId: 17, priority: 15 }]);
  });

  test("answered while there is no connection does nothing", () => {
    const person = smallJob().press("c").with({ isLive: false }).press("y");
    expect(done(person)).toEqual([]);
    expect(person.toast()).toBe("not connected: nothing can be changed now");
  });
});

describe("what was done", () => {
  const answer = (person: Person, sentence: string): Person =>
    person.act({
      kind: "acted",
      results: done(person).map((request) => ({ request, outcome: { ok: true, sentence } })),
    });

  test("is pending until the foreman's sentence comes", () => {
    const person = onJob(17).press("p", "y");
    expect(person.state().toast?.weight).toBe("pending");
    answer(person, "job 17 is paused");
    expect(person.state().toast).toMatchObject({
      weight: "good",
      text: "job 17 is paused  (u: undo)",
    });
  });

  test("says why not, with the hint", () => {
    const person = onJob(17).press("p", "y");
    const [request] = done(person);
    if (request === undefined) throw new Error("nothing was asked for");
    const error = {
      code: "forbidden",
      message: "This key may only look.",
      hint: "use another",
      retryable: false,
    };
    person.act({ kind: "acted", results: [{ request, outcome: { ok: false, error } }] });
    expect(person.state().toast).toMatchObject({
      weight: "bad",
      text: "job 17: This key may only look. (use another)",
    });
  });

  test("pauses and drains can be undone once, without another question", () => {
    const person = onJob(17).press("p", "y");
    answer(person, "job 17 is paused");
    person.press("u");
    expect(done(person).at(-1)).toEqual({ kind: "pause_job", jobId: 17, paused: false });
    person.press("u");
    expect(person.toast()).toBe("nothing to undo: pause and drain can be undone");
  });

  test("a cancelled job cannot be undone", () => {
    const person = answer(smallJob().press("c", "y"), "7 tasks cancelled");
    expect(person.state().undo).toBeNull();
  });
});

test("every action has a verb, and a pause or drain a way back", () => {
  const actions: readonly ActionRequest[] = [
    { kind: "cancel_job", jobId: 17 },
    { kind: "cancel_tasks", jobId: 17, indexes: [1, 2] },
    { kind: "retry_failed", jobId: 17 },
    { kind: "retry_tasks", jobId: 17, indexes: [1, 2, 3, 4] },
    { kind: "pause_job", jobId: 17, paused: true },
    { kind: "set_priority", jobId: 17, priority: 20 },
    { kind: "pause_worker", workerId: "w03", paused: false },
    { kind: "drain_worker", workerId: "w03", undo: false },
  ];
  expect(actions.map(verbOf)).toEqual([
    "cc cancel 17",
    "cc cancel 17/1 17/2",
    "cc retry 17",
    "cc retry 17/1 17/2 17/3 …",
    "cc pause 17",
    "cc set 17 --priority 20",
    "cc resume w03",
    "cc drain w03",
  ]);
  expect(actions.map((action) => reverseOf(action) !== null)).toEqual(
    actions.map(({ kind }) => kind.startsWith("pause") || kind.startsWith("drain")),
  );
});
