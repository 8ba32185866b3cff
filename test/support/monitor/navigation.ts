/** Keys on pictures, without a terminal: a person at a small monitor, for tests of what keys do. */

import { bodyOfFocus, viewOfFocus } from "../../../src/commands/top/focus-view.ts";
import type { Focus, FocusBody } from "../../../src/tui/feed.ts";
import { focusOf } from "../../../src/tui/model/focus-of.ts";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { createView, type ViewOptions } from "../../../src/tui/navigation/initial-view.ts";
import type { NavAction, NavContext, NavEffect } from "../../../src/tui/navigation/nav-types.ts";
import { reduceView } from "../../../src/tui/navigation/reducer.ts";
import type { Place, ViewState } from "../../../src/tui/navigation/view-state.ts";
import { planLayout } from "../../../src/tui/panes/layout.ts";
import { AT_MS } from "./fixtures.ts";
import { createWorld, type MonitorWorld, viewOf } from "./world.ts";

export interface Person {
  readonly world: MonitorWorld;
  state(): ViewState;
  place(): Place;
  /** Everything that was wanted done so far. */
  readonly effects: readonly NavEffect[];
  /** Keys by their names; `type:abc` is a, b, c. */
  press(...keys: readonly string[]): Person;
  act(action: NavAction): Person;
  /** The picture of this place as it is now comes in. */
  look(): Person;
  /** What differs from the usual context: a log, a lost link. */
  with(changes: Partial<NavContext>): Person;
  toast(): string | null;
}

export function createPerson(
  options: Partial<ViewOptions> & { readonly world?: MonitorWorld } = {},
): Person {
  const { world = createWorld(), ...view } = options;
  let state = createView({ columns: 120, rows: 40, ...view });
  const effects: NavEffect[] = [];
  let changes: Partial<NavContext> = {};
  let shown: FocusBody | null = null;
  let asked: Focus | null = null;

  const context = (): NavContext => ({
    nowMs: AT_MS,
    planLayout,
    shown,
    asked,
    log: null,
    textRows: () => 100,
    isLive: true,
    ...changes,
  });

  function act(action: NavAction): void {
    const step = reduceView(state, action, context());
    ({ state } = step);
    effects.push(...step.effects);
  }

  function look(): void {
    asked = focusOf(state, { planLayout, shown, asked });
    try {
      shown = bodyOfFocus(asked, viewOf(world, viewOfFocus(asked)));
    } catch {
      // There is no such thing: nothing is shown, as in the monitor.
      shown = null;
    }
    act({ kind: "shown" });
  }

  const person: Person = {
    world,
    state: () => state,
    place: () => screenOf(state).place,
    effects,
    press(...keys) {
      for (const key of keys.flatMap(keysIn)) {
        const place = screenOf(state).place;
        act({ kind: "key", key });
        if (screenOf(state).place !== place) look();
      }
      return person;
    },
    act(action) {
      act(action);
      return person;
    },
    look() {
      look();
      return person;
    },
    with(given) {
      changes = { ...changes, ...given };
      return person;
    },
    toast: () => state.toast?.text ?? null,
  };
  look();
  return person;
}

const keysIn = (key: string): readonly string[] =>
  key.startsWith("type:")
    ? [...key.slice("type:".length)].map((letter) => (letter === " " ? "space" : letter))
    : [key];
