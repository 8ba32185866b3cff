/** The SQLite store in Bun, with `bun:sqlite`; conformance.node.ts runs the same on Node. */
import { test } from "bun:test";
import { testStore } from "./conformance.ts";
import { testSqliteStore } from "./sqlite-suite.ts";
import { createSqliteWorld } from "./sqlite-world.ts";

testStore("bun:sqlite", { test }, createSqliteWorld);
testSqliteStore("bun:sqlite", { test });
