import { expect, test } from "bun:test";
import { viewOfFocus } from "../../../src/commands/top/focus-view.ts";
import { view } from "../../../src/runtime/protocol/messages/client.ts";
import {
  JSON_AMOUNTS,
  type OncePlace,
  onceFocus,
  TEXT_AMOUNTS,
} from "../../../src/tui/once/once-focus.ts";

const PLACES: readonly OncePlace[] = [
  { kind: "overview" },
  { kind: "job", jobId: 17 },
  { kind: "task", jobId: 17, index: 3 },
  { kind: "worker", workerId: "w01" },
];

test("every place is asked for in words and amounts that the protocol accepts", () => {
  for (const place of PLACES) {
    for (const amounts of [TEXT_AMOUNTS, JSON_AMOUNTS]) {
      const asked = viewOfFocus(onceFocus(place, amounts));
      expect(view.parse(asked)).toEqual(asked);
    }
  }
});

test("an anchor travels along where there is one", () => {
  const focus = onceFocus({ kind: "job", jobId: 17 }, TEXT_AMOUNTS);
  if (focus.kind !== "job") throw new Error("another focus");
  const tasks = { ...focus.tasks, anchor: "17/3", around: true };
  expect(viewOfFocus({ ...focus, tasks })).toMatchObject({
    kind: "job_monitor",
    job_id: 17,
    tasks: { anchor: "17/3", around: true },
  });
});
