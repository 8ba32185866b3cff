/**
 * `--each-csv`: RFC 4180 with a header; each row becomes an object of texts. Quoted fields may hold
 * commas, quotes and line breaks; lines end in LF or CRLF.
 */
import { usageError } from "../../protocol/error.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { type CsvRecord, createCsvSplitter } from "./csv-splitter.ts";
import { readText, type TextSource } from "./text-source.ts";

/** @throws CcError `bad_csv` with the line; exit 2. */
export async function* readCsvRows(
  source: TextSource,
): AsyncGenerator<readonly Readonly<Record<string, string>>[]> {
  const splitter = createCsvSplitter();
  let header: readonly string[] | null = null;
  const toRows = (records: readonly CsvRecord[]): Readonly<Record<string, string>>[] => {
    const rows: Readonly<Record<string, string>>[] = [];
    for (const record of records) {
      if (isBlank(record)) continue;
      if (header === null) header = checkHeader(source.label, record);
      else rows.push(rowOf(source.label, header, record));
    }
    return rows;
  };
  for await (const text of readText(source)) {
    const rows = toRows(splitter.push(text));
    if (splitter.pendingCharacters() > VALUE_BYTES_MAX) {
      throw badCsv(source.label, splitter.line(), "a quoted field begins here and does not end");
    }
    if (rows.length > 0) yield rows;
  }
  const rows = toRows(splitter.end());
  if (splitter.isInQuotes()) {
    throw badCsv(source.label, splitter.line(), "a quoted field begins here and does not end");
  }
  if (rows.length > 0) yield rows;
}

/** A line with nothing on it separates nothing; a header alone may name one empty column. */
const isBlank = (record: CsvRecord): boolean =>
  record.fields.length === 1 && record.fields[0] === "";

function checkHeader(label: string, { fields, line }: CsvRecord): readonly string[] {
  const seen = new Set<string>();
  for (const name of fields) {
    if (name === "") throw badCsv(label, line, "the header has a column without a name");
    if (seen.has(name)) throw badCsv(label, line, `the header has two columns "${name}"`);
    seen.add(name);
  }
  return fields;
}

function rowOf(
  label: string,
  header: readonly string[],
  { fields, line }: CsvRecord,
): Readonly<Record<string, string>> {
  if (fields.length !== header.length) {
    throw badCsv(
      label,
      line,
      `the row has ${fields.length} field${fields.length === 1 ? "" : "s"}, the header ${header.length}`,
    );
  }
  // Without a prototype a column named __proto__ is only a column.
  const row: Record<string, string> = Object.create(null);
  header.forEach((name, i) => {
    row[name] = fields[i] as string;
  });
  return row;
}

function badCsv(label: string, line: number, what: string): Error {
  return usageError(
    "bad_csv",
    `${label}: line ${line}: ${what}.`,
    'Fields that hold a comma, a quote or a line break stand in quotes; a quote inside is doubled: "a ""b""".',
  );
}
