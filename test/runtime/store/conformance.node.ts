/** The SQLite store on Node with better-sqlite3: run this file with Node >= 22. */
import { test } from "node:test";
import { testStore } from "./conformance.ts";
import { testSqliteStore } from "./sqlite-suite.ts";
import { createSqliteWorld } from "./sqlite-world.ts";

const run = (name: string, body: () => Promise<void>): void => void test(name, body);

testStore("better-sqlite3", { test: run }, createSqliteWorld);
testSqliteStore("better-sqlite3", { test: run });
