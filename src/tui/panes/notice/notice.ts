/** A screen that has a sentence instead of panes: what is the matter, and what to check and to type. */
import { inert } from "../../text/cells.ts";
import { wrapWords } from "../../text/wrap.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { fitRows, paintRow, plain, span } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";

export interface Notice {
  readonly title: string;
  readonly style: Style;
  /** Paragraphs; "" is a blank line, and one that begins with two blanks is a command to type. */
  readonly lines: readonly string[];
}

/** `height` rows of `width` cells, a little below the top. */
export function noticeRows(notice: Notice, { width, height }: Size, theme: Theme): string[] {
  const inner = Math.max(8, Math.min(width - 4, TEXT_CELLS_MAX));
  const shown = (text: string) => inert(text, { ascii: theme.ascii });
  const title = wrapWords(shown(notice.title), inner).map((line) => row(notice.style, line));
  const lines = notice.lines.flatMap((line) => {
    const isCommand = line.startsWith("  ");
    const text = shown(line.trim());
    return wrapWords(text, isCommand ? inner - 2 : inner).map((part) =>
      row(isCommand ? "key" : "plain", isCommand ? `  ${part}` : part),
    );
  });
  const above = height > title.length + lines.length + 3 ? 2 : 0;
  const blank = " ".repeat(width);
  const between = height > title.length + lines.length + above ? [blank] : [];
  const all = [...Array.from({ length: above }, () => blank), ...title, ...between, ...lines];
  return fitRows(all, width, height);

  function row(style: Style, text: string): string {
    return paintRow(theme, width, [plain("  "), span(style, text)]);
  }
}

const TEXT_CELLS_MAX = 90;
