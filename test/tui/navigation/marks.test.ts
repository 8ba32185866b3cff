/** What `M` marks is what the filter shows when the answer comes, and never more than comes at once. */
import { expect, test } from "bun:test";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { createPerson } from "../../support/monitor/navigation.ts";

test("a list that grows too long while all of it is being marked is shown as before, with no marks", () => {
  const person = createPerson().press("2").look().press("M");
  const [worker] = person.world.workers;
  if (worker === undefined) throw new Error("the sample world has workers");
  person.world.workers = Array.from({ length: 700 }, (_, at) => ({
    ...worker,
    worker_id: `w${String(at).padStart(3, "0")}`,
  }));
  person.look();
  const { marked, marksAll } = screenOf(person.state()).lists.workers ?? {};
  expect([marked, marksAll]).toEqual([new Set(), undefined]);
});
