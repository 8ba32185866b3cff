/**
 * Looks a store over without changing it, beside a running foreman or without one: whether the
 * database is whole, and (when asked) whether its rows agree with each other. It reads one moment.
 */
import { statSync } from "node:fs";
import { openSqlDatabase, type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import { storePaths } from "../folder.ts";
import { openOutputFiles } from "../output-files.ts";
import { damageText } from "../storage-error.ts";
import { findContradictions } from "./contradictions.ts";
import { createFactReader } from "./fact-reader.ts";
import { findLostOutputs, listNamedOutputs, type NamedOutput } from "./named-outputs.ts";
import { checkQuickly, openForReading } from "./open-database.ts";
import { createReading, snapshot } from "./reading.ts";

export interface StoreExamination {
  readonly version: number;
  readonly byteCount: number;
  readonly jobCount: number;
  readonly unfinishedCount: number;
  /** How much was looked at; `rows`: everything. */
  readonly checked: "rows" | "pages" | "small tables";
  /** Sentences, at most PROBLEMS_MAX; empty when nothing is wrong. */
  readonly problems: readonly string[];
}

/** More say no more than that a backup is needed. */
export const PROBLEMS_MAX = 20;

/**
 * @param whole every page and every row, which takes a second for some hundred MiB; else as a
 * foreman checks at its start.
 * @throws CcError `store_missing`, `store_too_old`, `store_too_new`, `storage_corrupt`, `storage_busy`.
 */
export async function examineStore(
  folder: string,
  { whole }: { readonly whole: boolean },
): Promise<StoreExamination> {
  const paths = storePaths(folder);
  const database = await openForReading(paths);
  try {
    const { list } = openOutputFiles(paths.artifacts);
    const before = whole ? await list() : [];
    const { named, ...found } = await createReading(database)("check its rows", () =>
      snapshot(database, () => examine(database, whole)),
    );
    const lost = named.length === 0 ? [] : findLostOutputs(named, [...before, ...(await list())]);
    return { ...found, problems: [...found.problems, ...lost].slice(0, PROBLEMS_MAX) };
  } finally {
    database.close();
  }
}

function examine(
  database: SqlDatabase,
  whole: boolean,
): StoreExamination & { readonly named: readonly NamedOutput[] } {
  const problems = whole ? findDamage(database) : [];
  const checked = whole ? "rows" : checkQuickly(database);
  // Rows of damaged pages would only repeat the same in other words.
  const jobs: readonly JobFacts[] = problems.length === 0 ? createFactReader(database).jobs() : [];
  if (whole && problems.length === 0) problems.push(...findContradictions(database, jobs));
  return {
    named: whole && problems.length === 0 ? listNamedOutputs(database, jobs) : [],
    version: Number(database.pragma("user_version")),
    byteCount: statSync(database.path).size,
    jobCount: jobs.length,
    unfinishedCount: jobs.filter((job) => job.finishedAtMs === null).length,
    checked,
    problems: problems.slice(0, PROBLEMS_MAX),
  };
}

function findDamage(database: SqlDatabase): string[] {
  const check = database.prepare<{ integrity_check: string }>(
    `pragma integrity_check(${PROBLEMS_MAX})`,
  );
  const found = check.all().map((row) => row.integrity_check);
  return found[0] === "ok"
    ? []
    : found.map((text) => `the database is damaged: ${damageText(text)}`);
}

/** Whether a foreman has the folder; asks without taking the lock itself. */
export async function isStoreHeld(folder: string): Promise<boolean> {
  const { lock } = storePaths(folder);
  if (statSync(lock, { throwIfNoEntry: false }) === undefined) return false;
  const database = await openSqlDatabase({ path: lock, readOnly: true });
  try {
    database.pragma("busy_timeout = 0");
    // Reading needs a shared lock for a moment, which an exclusive one does not allow.
    database.pragma("schema_version");
    return false;
  } catch (thrown) {
    if (sqliteFaultOf(thrown) === "busy") return true;
    throw thrown;
  } finally {
    database.close();
  }
}
