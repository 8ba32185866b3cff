/** Every kind of event as a sentence that a person can read. */
import { describe, expect, test } from "bun:test";
import { eventLine } from "../../../../../src/runtime/foreman/views/monitor/event-sentence.ts";
import { EVENT_KINDS, type EventKind } from "../../../../../src/runtime/protocol/event-kinds.ts";
import { asJobId, asWorkerId } from "../../../../../src/runtime/protocol/ids.ts";
import type { EventRowFacts } from "../../../../../src/runtime/store/store.ts";

function row(kind: string, body: object, about: Partial<EventRowFacts> = {}): EventRowFacts {
  return {
    seq: 1,
    atMs: 0,
    kind,
    jobId: null,
    index: null,
    workerId: null,
    ...about,
    body: JSON.stringify(body),
  };
}

const job16 = { jobId: asJobId(16) };
const w04 = { workerId: asWorkerId("w04") };
const sentence = (kind: EventKind, body: object, about: Partial<EventRowFacts> = {}): string =>
  eventLine(row(kind, body, about)).sentence;

const KINDS = Object.keys(EVENT_KINDS) as EventKind[];

/** Something that each field could hold. */
const sample = (field: string): unknown => {
  if (/options/.test(field)) return ["priority", "timeout_seconds"];
  if (/^tasks$/.test(field)) return [[0, 9]];
  if (/codes/.test(field)) return { exit_status: 9, timeout: 1 };
  if (/state|why|code|status/.test(field)) return "failed";
  if (/inputs_open|requested|now/.test(field)) return true;
  if (/name|owner|queue|reason|host|folder|boot/.test(field)) return "words";
  return 3;
};

test.each(KINDS)("%s is told in words, with and without its fields", (kind) => {
  const fields = Object.keys(EVENT_KINDS[kind].fields).map((field) => field.replace("?", ""));
  const body = Object.fromEntries(fields.map((field) => [field, sample(field)]));
  for (const told of [
    sentence(kind, body, { ...job16, ...w04 }),
    sentence(kind, body, { ...job16, ...w04, index: 3 }),
  ]) {
    expect(told).toMatch(/^[a-z0-9]/);
    expect(told).not.toMatch(/undefined|null|NaN|\[object|\(\)| {2}| $|:$/);
    expect(told.length).toBeLessThan(241);
  }
  expect(sentence(kind, {})).not.toMatch(/undefined|null|NaN|\[object|\(\)/);
});

describe("sentences name", () => {
  test("how many tasks failed of what, and where", () => {
    const body = { count: 10, codes: { exit_status: 9, timeout: 1 } };
    expect(sentence("tasks_failed", body, { ...job16, ...w04 })).toBe(
      "job 16: 10 tasks failed (exit_status x9, timeout x1) on w04",
    );
    expect(
      sentence("tasks_failed", { count: 1, codes: { error: 1 } }, { ...job16, index: 3 }),
    ).toBe("task 16/3 failed (error x1)");
  });

  test("how a job ended", () => {
    const end = { state: "failed", completed: 4990, failed: 10, cancelled: 0 };
    expect(sentence("job_ended", end, job16)).toBe("job 16 failed: 4,990 completed, 10 failed");
    expect(sentence("job_ended", { state: "completed", completed: 1 }, job16)).toBe(
      "job 16 completed: 1 task",
    );
  });

  test("what a worker still holds, and why it goes by itself", () => {
    const asked = { requested: true, reason: "drained by request", held: 7 };
    expect(sentence("worker_draining", asked, w04)).toBe("w04 drains: 7 tasks left");
    const signal = { requested: false, reason: "SIGTERM", held: 1 };
    expect(sentence("worker_draining", signal, w04)).toBe("w04 drains: 1 task left (SIGTERM)");
  });
});

test("weights tell failures and losses from what people did and from what goes its way", () => {
  const weight = (kind: EventKind, body: object = {}) => eventLine(row(kind, body)).weight;
  expect(weight("worker_lost")).toBe("bad");
  expect(weight("job_paused")).toBe("notice");
  expect(weight("worker_connected")).toBe("plain");
  expect(weight("job_ended", { state: "failed" })).toBe("bad");
  expect(weight("job_ended", { state: "completed" })).toBe("plain");
  expect(weight("job_cancelled", { code: "cancelled" })).toBe("notice");
  expect(weight("job_cancelled", { code: "all_failing" })).toBe("bad");
});

test("a kind of a newer foreman, or a body that is damaged, is still a line", () => {
  expect(eventLine(row("moon_full", {})).sentence).toBe("moon full");
  expect(eventLine({ ...row("job_ended", {}), body: "{" }).sentence).toContain("job");
});
