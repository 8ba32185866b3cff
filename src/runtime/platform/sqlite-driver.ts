/**
 * SQLite behind one small interface, and the only place that chooses its driver: `bun:sqlite` in Bun
 * and in the binary, `better-sqlite3` on Node >= 22. It knows no table and retries nothing.
 */

import type { Database as BunDatabase } from "bun:sqlite";
import type BetterSqlite3 from "better-sqlite3";

export type SqlValue = number | string | Uint8Array | null;

/** `Row` is what the statement's own select list yields; strict tables make that true. */
export interface SqlStatement<Row = unknown> {
  /** How many rows it changed. */
  run(...values: SqlValue[]): number;
  get(...values: SqlValue[]): Row | null;
  all(...values: SqlValue[]): Row[];
}

export interface SqlDatabase {
  readonly path: string;
  readonly inTransaction: boolean;
  /** One or several statements without parameters or rows. */
  exec(sql: string): void;
  /** Prepared statements live until the database is closed. */
  prepare<Row>(sql: string): SqlStatement<Row>;
  /** The first column of the first row that a pragma yields; null when it yields none. */
  pragma(text: string): SqlValue;
  /** Also ends every prepared statement, so that no lock outlives it. */
  close(): void;
}

export interface SqlOpenOptions {
  readonly path: string;
  readonly readOnly: boolean;
}

/**
 * Opens a database; without `readOnly` it is created when missing.
 * @throws the driver's error; see `sqliteFaultOf`.
 */
export async function openSqlDatabase(options: SqlOpenOptions): Promise<SqlDatabase> {
  return "Bun" in globalThis ? await openWithBun(options) : await openWithNode(options);
}

export type SqliteFault =
  | "busy"
  | "full"
  | "corrupt"
  | "not_a_database"
  | "cannot_open"
  | "read_only"
  | "io"
  | "other";

/** What an error of either driver means; null when it is none of theirs. */
export function sqliteFaultOf(thrown: unknown): SqliteFault | null {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return null;
  // WAL's shared memory that cannot grow is a full disk under another name.
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE") return "full";
  const primary = /^SQLITE_[A-Z]+/.exec(code)?.[0];
  switch (primary) {
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED":
      return "busy";
    case "SQLITE_CORRUPT":
      return "corrupt";
    case "SQLITE_NOTADB":
      return "not_a_database";
    case "SQLITE_CANTOPEN":
      return "cannot_open";
    case "SQLITE_READONLY":
      return "read_only";
    case "SQLITE_IOERR":
      return "io";
    default:
      return "other";
  }
}

async function openWithBun({ path, readOnly }: SqlOpenOptions): Promise<SqlDatabase> {
  const { Database } = await import("bun:sqlite");
  const database: BunDatabase = new Database(
    path,
    readOnly ? { readonly: true } : { readwrite: true, create: true },
  );
  return {
    path,
    get inTransaction() {
      return database.inTransaction;
    },
    exec(sql) {
      database.run(sql);
    },
    prepare<Row>(sql: string): SqlStatement<Row> {
      const statement = database.prepare<Row, SqlValue[]>(sql);
      return {
        run: (...values) => statement.run(...values).changes,
        get: (...values) => statement.get(...values),
        all: (...values) => statement.all(...values),
      };
    },
    pragma(text) {
      const statement = database.prepare<Record<string, SqlValue>, []>(`pragma ${text}`);
      const row = statement.get();
      statement.finalize();
      return firstValue(row);
    },
    close() {
      database.close(true);
    },
  };
}

// Not a literal in `import()`: the compiled binary must not try to carry the native addon.
const NODE_DRIVER = ["better", "sqlite3"].join("-");

async function openWithNode({ path, readOnly }: SqlOpenOptions): Promise<SqlDatabase> {
  // The cast is proved by @types/better-sqlite3 describing the very package that is named above.
  const driver = (await import(NODE_DRIVER)) as { default: typeof BetterSqlite3 };
  // `timeout` is the driver's busy_timeout; whoever wants one says so by pragma.
  const database = new driver.default(path, { readonly: readOnly, timeout: 0 });
  return {
    path,
    get inTransaction() {
      return database.inTransaction;
    },
    exec(sql) {
      database.exec(sql);
    },
    prepare<Row>(sql: string): SqlStatement<Row> {
      const statement = database.prepare<SqlValue[], Row>(sql);
      return {
        run: (...values) => statement.run(...values).changes,
        get: (...values) => statement.get(...values) ?? null,
        all: (...values) => statement.all(...values),
      };
    },
    pragma(text) {
      // The driver types this as unknown; a pragma yields rows of scalar columns.
      const rows = database.pragma(text) as Record<string, SqlValue>[];
      return firstValue(rows[0] ?? null);
    },
    close() {
      database.close();
    },
  };
}

function firstValue(row: Record<string, SqlValue> | null): SqlValue {
  return row === null ? null : (Object.values(row)[0] ?? null);
}
