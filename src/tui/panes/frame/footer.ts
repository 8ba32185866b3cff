/** The last row: the keys that do something here, the most useful first; `?` for all of them is always there. */
import { footerHints, type KeyHint } from "../../navigation/key-hints.ts";
import type { ViewState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import type { Theme } from "../../theme/theme.ts";
import { paintRow, plain, type Span, span, spansWidth } from "../../widgets/spans.ts";

export function footer(view: ViewState, width: number, theme: Theme): string {
  const hints = footerHints(view).map((hint) => hintSpans(hint, theme));
  const last = hints.at(-1) ?? [];
  let left = width - 1 - spansWidth(last);
  const shown: Span[] = [plain(" ")];
  for (const hint of hints.slice(0, -1)) {
    const cells = spansWidth(hint) + GAP.length;
    if (cells > left) continue;
    shown.push(...hint, plain(GAP));
    left -= cells;
  }
  return paintRow(theme, width, [...shown, ...last]);
}

const GAP = "  ";

const hintSpans = ({ keys, label }: KeyHint, { ascii }: Theme): readonly Span[] => [
  span("key", inert(keys, { ascii })),
  span("dim", ` ${label}`),
];
