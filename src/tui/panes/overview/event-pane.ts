/** What happened lately, the newest first: failures and losses, what people did, and the rest. */
import type { EventLineView } from "../../../runtime/protocol/monitor-views.ts";
import type { ListState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import { instantTime } from "../../text/fixed.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fitRows, paintRow, paintRowAs, plain, span } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";

export interface EventPaneState {
  /** The key that goes there; null: printed, without keys. */
  readonly number: number | null;
  readonly list: ListState;
  readonly isActive: boolean;
}

/** A letter for each weight, so that it is not told by colour alone. */
const WEIGHTS: Readonly<Record<EventLineView["weight"], readonly [string, Style]>> = {
  bad: ["!", "failed"],
  notice: ["-", "plain"],
  plain: [" ", "dim"],
};

/** Title and events: `height` rows. */
export function eventPane(
  events: readonly EventLineView[],
  { width, height }: Size,
  { number, list, isActive }: EventPaneState,
  theme: Theme,
): string[] {
  if (height <= 0) return [];
  const room = height - 1;
  // Where nobody is, the newest are shown: events that come move the others down.
  const first = isActive ? Math.max(0, Math.min(list.top, events.length - room)) : 0;
  const rows = events
    .slice(first, first + room)
    .map((event, at) => eventRow(event, isActive && first + at === list.selectedAt, width, theme));
  const title = ruleTitle({ number, title: "EVENTS", isActive, notes: [], end: "" }, width, theme);
  const nothing = paintRow(theme, width, [plain("  "), span("dim", "nothing has happened yet")]);
  return fitRows([title, ...(events.length === 0 ? [nothing] : rows)], width, height);
}

function eventRow(event: EventLineView, isSelected: boolean, width: number, theme: Theme): string {
  const [letter, style] = WEIGHTS[event.weight];
  const sentence = inert(event.sentence, { ascii: theme.ascii });
  const spans = [
    plain(isSelected ? ">" : " "),
    span("dim", `${instantTime(event.time)} `),
    span(style, `${letter} `),
    span(style, sentence),
  ];
  return isSelected ? paintRowAs(theme, "selection", width, spans) : paintRow(theme, width, spans);
}
