/** The filter and the search as they are typed: in the row above the footer, with what is wrong with them below. */
import type { ScreenModel } from "../../model/screen-model.ts";
import { filteredList } from "../../navigation/move.ts";
import { filterProblem } from "../../navigation/overlays.ts";
import { shownList } from "../../navigation/shown-lists.ts";
import type { Overlay } from "../../navigation/view-state.ts";
import { formatExactCount } from "../../text/amounts.ts";
import { inert } from "../../text/cells.ts";
import { wrapWords } from "../../text/wrap.ts";
import type { Theme } from "../../theme/theme.ts";
import { paintRow, type Span, span } from "../../widgets/spans.ts";
import { textField } from "../../widgets/text-field.ts";

type Field = Extract<Overlay, { readonly kind: "filter" | "search" }>;

/** One row, or a few more when something is to be said about it. */
export function fieldRows(
  field: Field,
  model: ScreenModel,
  width: number,
  theme: Theme,
): readonly string[] {
  const problem = field.kind === "filter" ? filterProblem(model.view, field.text) : null;
  const line = textField(
    {
      prompt: field.kind === "filter" ? " filter " : " search ",
      text: field.text,
      cursor: field.cursor,
      end: problem === null ? foundText(field, model) : [],
    },
    width,
    theme,
  );
  if (problem === null) return [line];
  const words = wrapWords(inert(problem, { ascii: theme.ascii }), width - 4).slice(
    0,
    PROBLEM_ROWS_MAX,
  );
  return [
    line,
    ...words.map((text, at) =>
      paintRow(theme, width, [span("failed", at === 0 ? " ! " : "   "), span("failed", text)]),
    ),
  ];
}

const PROBLEM_ROWS_MAX = 3;

/** `12 match`. */
function foundText(field: Field, { view, shown, log }: ScreenModel): readonly Span[] {
  if (field.kind === "search")
    return log === null ? [] : [span("dim", `${formatExactCount(log.hits)} hits `)];
  if (log !== null)
    return log.matchingLines === undefined
      ? []
      : [span("dim", `${formatExactCount(log.matchingLines)} lines `)];
  const name = filteredList(view);
  const list = name === null ? null : shownList(shown, name);
  return list === null ? [] : [span("dim", `${formatExactCount(list.matching)} match `)];
}
