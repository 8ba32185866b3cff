/**
 * Keeps rows where they are while somebody looks at them: a list is put into its new order at most every two
 * seconds, and not while the cursor moves. In between rows change their figures, not their places.
 */
import type { WindowView } from "../../runtime/protocol/monitor-views.ts";
import type { Focus, FocusBody, WindowRequest } from "../feed.ts";

/** A list is put into order at most so often. */
const RESORT_MS = 2_000;
/** After the last move of the cursor. */
const MOVING_MS = 1_000;

/** One list of one place, as it is shown. */
interface Held {
  readonly from: number;
  readonly order: readonly string[];
  readonly key: string;
  readonly sortedAtMs: number;
}

export interface OrderKeeper {
  /** The body with its lists in the order to be shown. */
  present(shown: FocusBody, asked: Focus, nowMs: number): FocusBody;
  /** The cursor has been moved. */
  moved(nowMs: number): void;
  /** Something is shown in an old order; it is to be presented again when time has passed. */
  readonly isHolding: boolean;
}

export function createOrderKeeper(): OrderKeeper {
  const held = new Map<string, Held>();
  let movedAtMs = Number.NEGATIVE_INFINITY;
  let holding = new Set<string>();

  function presentWindow<Row>(
    name: string,
    window: WindowView<Row>,
    asked: WindowRequest,
    nowMs: number,
  ): WindowView<Row> {
    const key = `${asked.sort} ${asked.reverse} ${asked.filter}`;
    const before = held.get(name);
    const mayHold =
      before !== undefined &&
      before.key === key &&
      (nowMs - before.sortedAtMs < RESORT_MS || nowMs - movedAtMs < MOVING_MS);
    const order = mayHold ? keepPlaces(before, window) : window.order;
    const isSorted = isSameOrder(order, window.order);
    if (isSorted) holding.delete(name);
    else holding.add(name);
    const sortedAtMs = mayHold && before !== undefined ? before.sortedAtMs : nowMs;
    held.set(name, { from: window.from, order, key, sortedAtMs });
    return isSorted ? window : { ...window, order };
  }

  return {
    get isHolding() {
      return holding.size > 0;
    },
    moved(nowMs) {
      movedAtMs = nowMs;
    },
    present(shown, asked, nowMs) {
      const place = placeOf(asked);
      for (const name of held.keys()) {
        if (!name.startsWith(`${place} `)) held.delete(name);
      }
      holding = new Set([...holding].filter((name) => held.has(name)));
      if (shown.kind === "overview" && asked.kind === "overview") {
        const jobs = presentWindow(`${place} jobs`, shown.body.jobs, asked.jobs, nowMs);
        const workers = presentWindow(`${place} workers`, shown.body.workers, asked.workers, nowMs);
        return { ...shown, body: { ...shown.body, jobs, workers } };
      }
      if (shown.kind === "job" && asked.kind === "job") {
        const tasks = presentWindow(`${place} tasks`, shown.body.tasks, asked.tasks, nowMs);
        return { ...shown, body: { ...shown.body, tasks } };
      }
      if (shown.kind === "worker" && asked.kind === "worker") {
        const tasks = presentWindow(`${place} tasks`, shown.body.tasks, asked.tasks, nowMs);
        return { ...shown, body: { ...shown.body, tasks } };
      }
      return shown;
    },
  };
}

/** Rows of which the foreman keeps an order of its own need no holding, but it does no harm. */
function placeOf(focus: Focus): string {
  switch (focus.kind) {
    case "overview":
      return "overview";
    case "job":
      return `job:${focus.jobId}`;
    case "task":
      return `task:${focus.jobId}/${focus.index}`;
    case "worker":
      return `worker:${focus.workerId}`;
  }
}

/**
 * The rows of the window, each where it was shown before; rows that were not shown take the places of those
 * that are gone, in their own order.
 */
export function keepPlaces(
  before: { readonly from: number; readonly order: readonly string[] },
  window: Pick<WindowView<unknown>, "from" | "order">,
): readonly string[] {
  const here = new Set(window.order);
  const order: (string | null)[] = window.order.map((_, at) => {
    const id = before.order[window.from + at - before.from];
    return id !== undefined && here.delete(id) ? id : null;
  });
  const rest = window.order.filter((id) => here.has(id));
  let next = 0;
  return order.map((id) => id ?? rest[next++] ?? "");
}

const isSameOrder = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, at) => id === b[at]);
