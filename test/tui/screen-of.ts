/** Screen models for panes: a place, what is shown of it, and how a person looks at it. */
import type { FocusBody } from "../../src/tui/feed.ts";
import type { LogModel, ScreenModel } from "../../src/tui/model/screen-model.ts";
import { createListState, createView } from "../../src/tui/navigation/initial-view.ts";
import type {
  ListName,
  ListState,
  LogState,
  Place,
  ScreenState,
} from "../../src/tui/navigation/view-state.ts";
import { FRAME_ROWS } from "../../src/tui/panes/layout.ts";
import type { Size } from "../../src/tui/panes/pane.ts";
import { AT_MS } from "../support/monitor/fixtures.ts";

export interface Looking {
  readonly shown?: FocusBody | null;
  readonly log?: LogModel | null;
  readonly lists?: Readonly<Partial<Record<ListName, Partial<ListState>>>>;
  readonly logState?: Partial<LogState>;
  readonly screen?: Partial<ScreenState>;
}

/** `size` is the room of the pane; header and footer come on top of it. */
export function screenOf(place: Place, size: Size, looking: Looking = {}): ScreenModel {
  const view = createView({ columns: size.width, rows: size.height + FRAME_ROWS, place });
  const fresh = view.stack.at(-1) as ScreenState;
  const lists = Object.fromEntries(
    Object.entries(looking.lists ?? {}).map(([name, list]) => [name, createListState(list)]),
  );
  const log = fresh.log === null ? null : { ...fresh.log, ...looking.logState };
  const screen: ScreenState = { ...fresh, lists, log, ...looking.screen };
  return {
    nowMs: AT_MS,
    view: { ...view, stack: [...view.stack.slice(0, -1), screen] },
    url: "ws://127.0.0.1:9000",
    link: { kind: "live" },
    roundTripMs: 12,
    dataAgeMs: 200,
    receivedBytesPerSecond: 38_000,
    shown: looking.shown ?? null,
    failed: null,
    log: looking.log ?? null,
  };
}
