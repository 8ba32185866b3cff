/** One line about what was just done, is being done, or cannot be done. */
import type { Toast } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { paintRow, span } from "../../widgets/spans.ts";

/** A word for each weight, so that it is not told by colour alone. */
const WEIGHTS: Readonly<Record<Toast["weight"], readonly [string, Style]>> = {
  plain: ["", "strong"],
  good: ["ok: ", "good"],
  bad: ["error: ", "failed"],
  pending: ["... ", "delayed"],
};

export function toastLine({ weight, text }: Toast, width: number, theme: Theme): string {
  const [word, style] = WEIGHTS[weight];
  return paintRow(theme, width, [
    span(style, ` ${word}`),
    span(style, inert(text, { ascii: theme.ascii })),
  ]);
}
