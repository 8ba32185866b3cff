/** All keys of this view over the dimmed screen, made from the key table; typing searches them. */
import { type HelpEntry, helpEntries } from "../../navigation/key-hints.ts";
import type { CommandId } from "../../navigation/key-table.ts";
import type { Overlay, ScreenState } from "../../navigation/view-state.ts";
import { cellWidth, fitCells, inert } from "../../text/cells.ts";
import { wrapWords } from "../../text/wrap.ts";
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
/** From here on there are two columns, unless there are few keys. */
const TWO_COLUMNS_MIN = 74;
const ONE_COLUMN_MAX = 8;

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
  const columnCount = width >= TWO_COLUMNS_MIN && entries.length > ONE_COLUMN_MAX ? 2 : 1;
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

const KEY_CELLS_MAX = 13;

/** A title for each group, and a row or two for each key. */
function entryRows(entries: readonly HelpEntry[], width: number): readonly (readonly Span[])[] {
  const merged = mergeOpposites(entries);
  const rows: Span[][] = [];
  let group: string | null = null;
  let keyCells = 0;
  for (const entry of merged) {
    if (entry.group !== group) {
      group = entry.group;
      keyCells = keyCellsOf(merged.filter((each) => each.group === group));
      rows.push([span("title", group === "ACT" ? "ACT (asks first)" : group)]);
    }
    const [first = "", ...further] = wrapWords(entry.text, Math.max(8, width - keyCells - 3));
    rows.push([plain(" "), span("key", fitCells(entry.keys, keyCells)), plain(`  ${first}`)]);
    for (const line of further) rows.push([plain(" ".repeat(keyCells + 3) + line)]);
  }
  return rows;
}

const keyCellsOf = (entries: readonly HelpEntry[]): number =>
  Math.min(KEY_CELLS_MAX, Math.max(...entries.map(({ keys }) => cellWidth(keys))));

/** Commands that do the same there and back: each row of them is one row of the help. */
const TOGETHER: readonly (readonly CommandId[])[] = [
  ["down", "up"],
  ["page-down", "page-up"],
  ["half-down", "half-up"],
  ["first", "last"],
  ["next-pane", "previous-pane"],
  ["pane-1", "pane-2", "pane-3"],
  ["left", "right"],
  ["next-hit", "previous-hit"],
  ["next-error", "previous-error"],
  ["raise", "lower"],
  ["longer", "shorter"],
  ["earlier", "later"],
];

/** `Dn j Up k  down, up`. */
function mergeOpposites(entries: readonly HelpEntry[]): readonly HelpEntry[] {
  const merged: HelpEntry[] = [];
  for (const entry of entries) {
    const before = merged.at(-1);
    const keys = `${before?.keys} ${entry.keys}`;
    const isFurther =
      before !== undefined &&
      keys.length <= KEY_CELLS_MAX &&
      TOGETHER.some((row) => row.includes(before.command) && row.includes(entry.command));
    if (isFurther)
      merged[merged.length - 1] = { ...before, keys, text: joinTexts(before.text, entry.text) };
    else merged.push(entry);
  }
  return merged;
}

/** `a page down`, `a page up`: `a page down, up`; the same at the end. */
export function joinTexts(one: string, other: string): string {
  const [first, second] = [one.split(" "), other.split(" ")];
  let same = 0;
  while (same < second.length - 1 && first[same] === second[same]) same += 1;
  if (same > 0) return `${one}, ${second.slice(same).join(" ")}`;
  while (same < first.length - 1 && first.at(-1 - same) === second.at(-1 - same)) same += 1;
  return same === 0 ? `${one}, ${other}` : `${first.slice(0, -same).join(" ")}, ${other}`;
}

/** Every letter with its word, or the letters alone. */
function statesFoot(width: number): string {
  const words = `STATES ${STATE_LETTERS.map(({ letter, word }) => `${letter} ${word}`).join("  ")}`;
  if (words.length <= width) return words;
  const letters = `STATES ${STATE_LETTERS.map(({ letter }) => letter).join(" ")}`;
  return letters.slice(0, Math.max(0, width));
}
