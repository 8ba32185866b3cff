/** What `M` marks is what the filter shows when the answer comes, and never more than comes at once. */
import { expect, test } from "bun:test";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { createPerson, type Person } from "../../support/monitor/navigation.ts";

function setWorkers({ world }: Person, count: number): void {
  const [worker] = world.workers;
  if (worker === undefined) throw new Error("the sample world has workers");
  world.workers = Array.from({ length: count }, (_, at) => ({ ...worker, worker_id: `w${at}` }));
}

/** How many are marked, and whether all are to be once they have come. */
function marksOf(person: Person): [number | undefined, boolean | undefined] {
  const { marked, marksAll } = screenOf(person.state()).lists.workers ?? {};
  return [marked?.size, marksAll];
}

test("all rows of a list are marked once they have come", () => {
  const person = createPerson();
  setWorkers(person, 300);
  person.press("2").look().press("M");
  expect(marksOf(person)).toEqual([0, true]);
  expect(marksOf(person.look())).toEqual([300, undefined]);
});

test("a list that grows too long meanwhile is shown as before, with no marks", () => {
  const person = createPerson();
  setWorkers(person, 300);
  person.press("2").look().press("M");
  setWorkers(person, 700);
  expect(marksOf(person.look())).toEqual([0, undefined]);
});
