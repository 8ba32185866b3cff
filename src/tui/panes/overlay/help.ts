/** All keys of this view over the dimmed screen, made from the key table; typing searches them. */
import { type HelpEntry, helpEntries } from "../../navigation/key-hints.ts";
import type { Overlay, ScreenState } from "../../navigation/view-state.ts";
import { cellWidth, fitCells, inert } from "../../text/cells.ts";
import { STATE_LETTERS } from "../../theme/states.ts";
import type { Theme } from "../../theme/theme.ts";
import { box } from "../../widgets/compose.ts";
import { fitRows, paintRow, plain, type Span, span } from "../../widgets/spans.ts";

type Help = Extract<Overlay, { readonly kind: "help" }>;

export interface HelpOptions {
  readonly screen: ScreenState;
  readonly readOnly: boolean;
  readonly columns: number;
  /** At most so many rows, with the border. */
  readonly rowsMax: number;
}

const WIDTH_MAX = 100;
/** From here on there are two columns. */
const TWO_COLUMNS_MIN = 74;

/** A box, and how wide it is. */
export function helpBox(
  { query, top }: Help,
  { screen, readOnly, columns, rowsMax }: HelpOptions,
  theme: Theme,
): { readonly rows: string[]; readonly width: number } {
  const width = Math.min(columns - 2, WIDTH_MAX);
  const inner = width - 4;
  const lines = helpLines(helpEntries(screen, readOnly, query), inner, theme);
  const room = Math.max(1, rowsMax - 2);
  const first = Math.max(0, Math.min(top, lines.length - room));
  const shown = fitRows(lines.slice(first), inner, Math.min(room, Math.max(1, lines.length)));
  const rest = lines.length - first - shown.length;
  const rows = box(
    {
      title: `Keys: ${screen.place.kind}`,
      end: query === "" ? "type to search, Esc" : `search: ${inert(query, { ascii: theme.ascii })}`,
      foot: rest > 0 ? `.. ${rest} more below` : statesFoot(width - 6),
      rows: shown.map((line) => ` ${line} `),
      width,
    },
    theme,
  );
  return { rows, width };
}

function helpLines(entries: readonly HelpEntry[], width: number, theme: Theme): string[] {
  if (entries.length === 0) return [paintRow(theme, width, [span("dim", "no key does that here")])];
  const columnCount = width >= TWO_COLUMNS_MIN ? 2 : 1;
  const columnWidth = Math.floor((width - (columnCount - 1) * 2) / columnCount);
  const blocks = entryRows(entries, columnWidth);
  const half = Math.ceil(blocks.length / columnCount);
  return Array.from({ length: half }, (_, at) => {
    const left = paintRow(theme, columnWidth, blocks[at] ?? []);
    if (columnCount === 1) return left;
    const rest = width - columnWidth;
    return left + paintRow(theme, rest, [plain("  "), ...(blocks[half + at] ?? [])]);
  });
}

const KEY_CELLS = 15;

/** A title for each group, a row for each key. */
function entryRows(entries: readonly HelpEntry[], width: number): readonly (readonly Span[])[] {
  const rows: Span[][] = [];
  let group: string | null = null;
  for (const entry of entries) {
    if (entry.group !== group)
      rows.push([span("title", entry.group === "ACT" ? "ACT (asks first)" : entry.group)]);
    group = entry.group;
    const keys = cellWidth(entry.keys) > KEY_CELLS ? entry.keys : fitCells(entry.keys, KEY_CELLS);
    rows.push([
      plain(" "),
      span("key", keys),
      plain(" "),
      plain(fitCells(entry.text, width - cellWidth(keys) - 2)),
    ]);
  }
  return rows;
}

/** As many of the letters as fit, with their words. */
function statesFoot(width: number): string {
  const words = STATE_LETTERS.map(({ letter, word }) => `${letter} ${word}`);
  while (words.length > 0 && `STATES ${words.join(" ")}`.length > width) words.pop();
  const letters = `STATES ${STATE_LETTERS.map(({ letter }) => letter).join(" ")}`;
  return words.length === STATE_LETTERS.length
    ? `STATES ${words.join(" ")}`
    : letters.slice(0, Math.max(0, width));
}
