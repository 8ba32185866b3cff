/** Whole sessions, every word of them: what a person or a script sees from the first minute on. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { createWorld, type World } from "../support/binary.ts";
import { writeJourneyFiles } from "./journey-files.ts";
import { playSession } from "./session.ts";
import { SETUP_MS } from "./stage.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
  writeJourneyFiles(world.folder);
}, SETUP_MS);
afterEach(() => world.close());

const hasJq = Bun.which("jq") !== null;

test.each([
  ["the first five minutes, without any server", "first-minutes"],
  ["looking and steering without a server", "without-a-server"],
  ["two commands without a server share the foreman of the first", "two-without-a-server"],
  ["one task of 10,000 fails: find why, try the fix, run only it again", "one-of-ten-thousand"],
  ["an urgent job beside one of a million tasks", "urgent-beside-a-million"],
])(
  "%s",
  async (_, name) => {
    const { seen, expected } = await playSession(world, name);
    expect(seen).toBe(expected);
  },
  60_000,
);

test.skipIf(!hasJq)(
  "use from a shell script with jq",
  async () => {
    const { seen, expected } = await playSession(world, "shell-script");
    expect(seen).toBe(expected);
  },
  60_000,
);
