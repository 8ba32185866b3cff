import { describe, expect, test } from "bun:test";
import type { JobRowView } from "../../../src/runtime/protocol/monitor-views.ts";
import type { Focus, FocusBody } from "../../../src/tui/feed.ts";
import { createOrderKeeper, keepPlaces } from "../../../src/tui/model/held-order.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import {
  jobRow,
  jobRowId,
  overviewView,
  windowOf,
  workerRow,
  workerRowId,
} from "../../support/monitor/fixtures.ts";

const ALL = { sort: "rate", reverse: false, filter: "", from: 0, rows: 50 };
const focus = (jobs: Partial<typeof ALL> = {}): Focus => ({
  kind: "overview",
  windowSeconds: 120,
  backSeconds: 0,
  jobs: { ...ALL, ...jobs },
  workers: ALL,
  events: 0,
});

const body = (ids: readonly number[]): FocusBody => ({
  kind: "overview",
  body: overviewView({
    jobs: windowOf<JobRowView>(
      ids.map((job_id) => jobRow({ job_id })),
      jobRowId,
    ),
    workers: windowOf([workerRow()], workerRowId),
  }),
});

const orderOf = (shown: FocusBody): readonly string[] =>
  shown.kind === "overview" ? shown.body.jobs.order : [];

describe("the order of a list that is looked at", () => {
  test("changes at most every two seconds", () => {
    const keeper = createOrderKeeper();
    expect(orderOf(keeper.present(body([1, 2, 3]), focus(), 0))).toEqual(["1", "2", "3"]);
    expect(orderOf(keeper.present(body([3, 2, 1]), focus(), 250))).toEqual(["1", "2", "3"]);
    expect(keeper.isHolding).toBe(true);
    expect(orderOf(keeper.present(body([3, 2, 1]), focus(), 1_999))).toEqual(["1", "2", "3"]);
    expect(orderOf(keeper.present(body([3, 2, 1]), focus(), 2_000))).toEqual(["3", "2", "1"]);
    expect(keeper.isHolding).toBe(false);
  });

  test("does not change while the cursor moves, however long", () => {
    const keeper = createOrderKeeper();
    keeper.present(body([1, 2, 3]), focus(), 0);
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      keeper.moved(nowMs);
      expect(orderOf(keeper.present(body([3, 2, 1]), focus(), nowMs))).toEqual(["1", "2", "3"]);
    }
    expect(orderOf(keeper.present(body([3, 2, 1]), focus(), 10_600))).toEqual(["3", "2", "1"]);
  });

  test("is the foreman's at once when another sort or filter was asked for", () => {
    const keeper = createOrderKeeper();
    keeper.present(body([1, 2, 3]), focus(), 0);
    expect(orderOf(keeper.present(body([3, 2, 1]), focus({ sort: "name" }), 100))).toEqual([
      "3",
      "2",
      "1",
    ]);
  });

  test("shows a new row where one has gone, and its figures at once", () => {
    const keeper = createOrderKeeper();
    keeper.present(body([1, 2, 3]), focus(), 0);
    expect(orderOf(keeper.present(body([4, 3, 1]), focus(), 100))).toEqual(["1", "4", "3"]);
  });
});

describe("rows that keep their places", () => {
  test("are those of the window, each once, whatever came before", () => {
    const random = createRandom(3);
    const some = () => [
      ...new Set(Array.from({ length: random.below(12) }, () => String(random.below(20)))),
    ];
    for (let run = 0; run < 5_000; run++) {
      const before = { from: random.below(10), order: some() };
      const window = { from: random.below(10), order: some() };
      const kept = keepPlaces(before, window);
      expect(kept.toSorted()).toEqual(window.order.toSorted());
      for (const [at, id] of kept.entries()) {
        const was = before.order[window.from + at - before.from];
        // Whatever was here and still is in the window stays here.
        if (was !== undefined && window.order.includes(was)) expect(id).toBe(was);
      }
    }
  });

  test("stay when the window moves under them", () => {
    const before = { from: 0, order: ["a", "b", "c", "d"] };
    expect(keepPlaces(before, { from: 2, order: ["d", "c", "e", "f"] })).toEqual([
      "c",
      "d",
      "e",
      "f",
    ]);
  });
});
