/** The last row: the keys that do something here, the most useful first; `?` for all of them is always there. */
import type { ScreenModel } from "../../model/screen-model.ts";
import { footerHints, type KeyHint } from "../../navigation/key-hints.ts";
import { inert } from "../../text/cells.ts";
import type { Theme } from "../../theme/theme.ts";
import { paintRow, plain, type Span, span, spansWidth } from "../../widgets/spans.ts";

export function footer({ view, shown }: Footed, width: number, theme: Theme): string {
  return hintRow(footerHints(view, shown), width, theme);
}

type Footed = Pick<ScreenModel, "view" | "shown">;

/** Where there is a notice instead of panes: nothing can be opened, filtered or changed. */
export function noticeFooter(model: Footed, width: number, theme: Theme): string {
  const { view } = model;
  if (view.overlay !== null) return footer(model, width, theme);
  const back = view.stack.length > 1 ? [{ keys: "Esc", label: "back" }] : [];
  const hints = [...back, { keys: ":", label: "command" }, { keys: "q", label: "quit" }];
  return hintRow([...hints, { keys: "?", label: "all keys" }], width, theme);
}

function hintRow(all: readonly KeyHint[], width: number, theme: Theme): string {
  const hints = all.map((hint) => hintSpans(hint, theme));
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
