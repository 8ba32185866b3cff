#!/usr/bin/env bun
/**
 * The front door: opens one room and stays out of the way. Nothing heavy is imported before a verb is
 * known, because `cc --help`, a compiler call and an executor child all start here.
 */

const INTERNAL_ROLE = "--internal-role=";

const words = process.argv.slice(2);
if (words[0]?.startsWith(INTERNAL_ROLE)) {
  const { runInternalRole } = await import("./commands/internal-role.ts");
  await runInternalRole(words[0].slice(INTERNAL_ROLE.length));
} else {
  const { openFrontDoor } = await import("./commands/front-door.ts");
  await openFrontDoor(words);
}
