/**
 * `cc bench`: measures this installation on this machine with processes of its own. `npm run bench`
 * runs the same with five runs a figure; `docs/performance.md` has its output.
 */

import { nearestName } from "../runtime/platform/nearest-name.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import { FIGURES, type Figure } from "./bench/figures.ts";
import type { CommandContext } from "./command-context.ts";
import { printListing } from "./print.ts";
import type { BENCH_VERB } from "./tables/setup.ts";

type Context = CommandContext<typeof BENCH_VERB>;

interface Row {
  readonly figure: string;
  readonly unit: string;
  readonly runs: readonly number[];
}

const TASKS = 1_000_000;

export async function run(context: Context): Promise<ExitCode> {
  const { values, io } = context;
  const rows: Row[] = [];
  for (const figure of chosen(values.only)) {
    if (!context.quiet) await io.stderr.write(`${figure.name}: ${figure.what}\n`);
    rows.push(...(await measure(figure, values.runs, values.tasks ?? TASKS)));
  }
  await printListing(context, {
    rows: context.json ? rows.map(withMedian) : rows,
    id: (row) => row.figure,
    empty: "nothing measured",
    columns: [
      { title: "FIGURE", cell: (row) => row.figure },
      { title: "MIN", align: "right", cell: (row) => rounded(Math.min(...row.runs)) },
      { title: "MEDIAN", align: "right", cell: (row) => rounded(median(row.runs)) },
      { title: "MAX", align: "right", cell: (row) => rounded(Math.max(...row.runs)) },
      { title: "UNIT", cell: (row) => row.unit },
    ],
  });
  return 0;
}

function chosen(names: readonly string[] | undefined): readonly Figure[] {
  if (names === undefined) return FIGURES;
  const known = FIGURES.map((figure) => figure.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw usageError(
      "bad_figure",
      `--only "${name}" is no figure; expected ${known.join(", ")}.`,
      near === null ? undefined : `Did you mean ${near}?`,
    );
  }
  return FIGURES.filter((figure) => names.includes(figure.name));
}

async function measure(figure: Figure, runs: number, tasks: number): Promise<Row[]> {
  const series = new Map<string, number[]>();
  for (let i = 0; i < runs; i++) {
    for (const [part, value] of Object.entries(await figure.measure({ tasks }))) {
      series.set(part, [...(series.get(part) ?? []), value]);
    }
  }
  return [...series].map(([part, values]) => ({
    figure: part === "" ? figure.name : `${figure.name} ${part}`,
    // A part that is measured otherwise says its unit itself.
    unit: /\/s$|\)$/.test(part) ? "" : figure.unit,
    runs: values,
  }));
}

const withMedian = (row: Row): Row & { readonly median: number } => ({
  ...row,
  median: median(row.runs),
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function rounded(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
