/** Cuts a stream of CSV text into records of fields. It knows quotes and separators, no header. */

export interface CsvRecord {
  readonly fields: readonly string[];
  /** From 1: where it begins. */
  readonly line: number;
}

export interface CsvSplitter {
  push(text: string): readonly CsvRecord[];
  end(): readonly CsvRecord[];
  /** Of the record that is not complete yet. */
  pendingCharacters(): number;
  /** Where that record begins. */
  line(): number;
  isInQuotes(): boolean;
}

export function createCsvSplitter(): CsvSplitter {
  let fields: string[] = [];
  let field = "";
  let line = 1;
  let recordLine = 1;
  let isInQuotes = false;
  /** A quote inside quotes: the next character tells whether it ended them or is doubled. */
  let isQuoteOpen = false;
  let hasRecord = false;
  let pending = 0;
  let records: CsvRecord[] = [];

  function endField(): void {
    fields.push(field);
    field = "";
  }

  function endRecord(): void {
    endField();
    const last = fields.length - 1;
    const text = fields[last] as string;
    if (text.endsWith("\r")) fields[last] = text.slice(0, -1);
    records.push({ fields, line: recordLine });
    fields = [];
    hasRecord = false;
    pending = 0;
    recordLine = line;
  }

  /** Takes the stretch until the next character that means something; returns where it ends. */
  function takeText(text: string, from: number): number {
    let to = from;
    while (to < text.length && !isSpecial(text.charCodeAt(to))) to++;
    field += text.slice(from, to);
    pending += to - from;
    hasRecord = true;
    return to;
  }

  function takeQuoted(text: string, from: number): number {
    const found = text.indexOf('"', from);
    const to = found < 0 ? text.length : found;
    const stretch = text.slice(from, to);
    field += stretch;
    pending += stretch.length;
    for (let at = stretch.indexOf("\n"); at >= 0; at = stretch.indexOf("\n", at + 1)) line++;
    if (found < 0) return to;
    isQuoteOpen = true;
    isInQuotes = false;
    return found + 1;
  }

  function takeSpecial(code: number): void {
    hasRecord = true;
    if (code === QUOTE) {
      if (isQuoteOpen) {
        field += '"';
        isInQuotes = true;
      } else if (field === "") isInQuotes = true;
      else field += '"';
    } else if (code === COMMA) endField();
    else {
      line++;
      endRecord();
    }
    isQuoteOpen = false;
  }

  function take(): readonly CsvRecord[] {
    const taken = records;
    records = [];
    return taken;
  }

  return {
    push(text) {
      for (let at = 0; at < text.length; ) {
        const code = text.charCodeAt(at);
        if (isInQuotes) at = takeQuoted(text, at);
        else if (isSpecial(code)) {
          takeSpecial(code);
          at++;
        } else {
          isQuoteOpen = false;
          at = takeText(text, at);
        }
      }
      return take();
    },
    end() {
      if (hasRecord && !isInQuotes) endRecord();
      return take();
    },
    pendingCharacters: () => pending,
    line: () => recordLine,
    isInQuotes: () => isInQuotes,
  };
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

const isSpecial = (code: number): boolean => code === QUOTE || code === COMMA || code === NEWLINE;
