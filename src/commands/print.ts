/**
 * What the looking verbs share: a table for people, JSON lines for programs, ids alone with `-q`. One
 * thing is one object with its schema; a list is one object a line and never shortened.
 */
import { safeLine } from "../runtime/platform/safe-text.ts";
import { JSON_SCHEMA_NAME } from "../runtime/protocol/views.ts";
import type { CommandContext } from "./command-context.ts";
import { inertJson } from "./inert-json.ts";
import { createPalette, type Palette } from "./palette.ts";
import { type Column, renderTable } from "./text-table.ts";

export type PrintContext = Pick<CommandContext, "io" | "json" | "quiet" | "color">;

export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly (Column & {
    readonly cell: (row: Row) => string;
  })[];
  readonly id: (row: Row) => string;
  /** Said on stderr when there is nothing. */
  readonly empty: string;
  /** Rows that were not asked for, named below a table. */
  readonly more?: { readonly count: number | null; readonly how: string } | undefined;
  readonly wide?: boolean | undefined;
}

export async function printListing<Row>(
  context: PrintContext,
  listing: Listing<Row>,
): Promise<void> {
  const { stdout, stderr } = context.io;
  if (context.json) {
    for (const row of listing.rows) {
      await stdout.write(`${inertJson(asObject(row), stdout.isTerminal)}\n`);
    }
    return;
  }
  if (context.quiet) {
    for (const row of listing.rows) await stdout.write(`${idText(context, listing.id(row))}\n`);
    return;
  }
  if (listing.rows.length === 0) {
    await stderr.write(`${listing.empty}\n`);
    return;
  }
  const palette = createPalette(context.color.stdout);
  const lines = renderTable(
    listing.columns.map((column) => withPaint(column, palette)),
    listing.rows.map((row) => listing.columns.map((column) => column.cell(row))),
    {
      widthMax: stdout.isTerminal && !listing.wide ? stdout.columnCount : Number.POSITIVE_INFINITY,
      paintHeader: palette.faint,
    },
  );
  await stdout.write(`${lines.join("\n")}\n`);
  await printMore(context, palette, listing.more);
}

/** As scripts want it; on a terminal a name must do no harm either. */
export const idText = ({ io }: PrintContext, id: string): string =>
  io.stdout.isTerminal ? safeLine(id) : id;

/** Rows are views; only their type parameter does not say so. */
const asObject = (row: unknown): object => row as object;

async function printMore(
  context: PrintContext,
  palette: Palette,
  more: Listing<unknown>["more"],
): Promise<void> {
  if (!more || more.count === 0) return;
  const count = more.count === null ? "" : `${more.count.toLocaleString("en-US")} `;
  const { stdout, stderr } = context.io;
  // To a pipe the remark would be mistaken for a row.
  await (stdout.isTerminal ? stdout : stderr).write(
    palette.faint(`… ${count}more (${more.how})\n`),
  );
}

function withPaint<Row>(column: Listing<Row>["columns"][number], palette: Palette): Column {
  const { cell: _cell, ...plain } = column;
  return column.title === "STATE"
    ? { ...plain, paint: (cell, text) => palette.state(cell, text) }
    : plain;
}

/** One object with its schema. */
export async function printObject(context: PrintContext, object: object): Promise<void> {
  const { stdout } = context.io;
  const text = inertJson({ schema: JSON_SCHEMA_NAME, ...object }, stdout.isTerminal);
  await stdout.write(`${text}\n`);
}

/** Aligned `label  value` lines; a null value leaves its line out. */
export function factLines(
  facts: readonly (readonly [label: string, value: string | null])[],
  palette: Palette,
): string {
  const present = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const width = Math.max(0, ...present.map(([label]) => label.length));
  return present
    .map(([label, value]) => `${palette.faint(label.padEnd(width))}  ${value}\n`)
    .join("");
}
