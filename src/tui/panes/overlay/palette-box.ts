/** The command palette: what is typed, and what it may become. */
import type { ScreenModel } from "../../model/screen-model.ts";
import { paletteChoices } from "../../navigation/palette.ts";
import type { Overlay } from "../../navigation/view-state.ts";
import { cellWidth, fitCells, inert } from "../../text/cells.ts";
import type { Theme } from "../../theme/theme.ts";
import { box } from "../../widgets/compose.ts";
import { paintRow, paintRowAs, plain, span } from "../../widgets/spans.ts";
import { textField } from "../../widgets/text-field.ts";

type Palette = Extract<Overlay, { readonly kind: "palette" }>;

const WIDTH_MAX = 76;

export function paletteBox(
  palette: Palette,
  { view, shown }: ScreenModel,
  rowsMax: number,
  theme: Theme,
): { readonly rows: string[]; readonly width: number } {
  const width = Math.min(view.columns - 2, WIDTH_MAX);
  const inner = width - 2;
  const choices = paletteChoices(palette.text, view, { shown }).slice(0, Math.max(0, rowsMax - 3));
  const chosen = Math.min(palette.choice, choices.length - 1);
  const shownChoices = choices.map(({ text, help }) => ({
    text: inert(text, { ascii: theme.ascii }),
    help: inert(help, { ascii: theme.ascii }),
  }));
  const nameCells = Math.min(28, Math.max(12, ...shownChoices.map(({ text }) => cellWidth(text))));
  const rows = [
    textField({ prompt: ":", text: palette.text, cursor: palette.cursor, end: [] }, inner, theme),
    ...shownChoices.map(({ text, help }, at) => {
      const spans = [
        plain(at === chosen ? "> " : "  "),
        span("strong", fitCells(text, nameCells)),
        span("dim", `  ${help}`),
      ];
      return at === chosen
        ? paintRowAs(theme, "selection", inner, spans)
        : paintRow(theme, inner, spans);
    }),
    ...(choices.length === 0 ? [paintRow(theme, inner, [span("dim", "  no such command")])] : []),
  ];
  return {
    rows: box({ title: "Command", end: "Tab completes", foot: "", rows, width }, theme),
    width,
  };
}
