/**
 * For a screen reader: plain lines on the normal screen, without charts and frames, at most one update a second;
 * keys work as ever.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

const ENV = { INK_SCREEN_READER: "true" };
const updatesIn = (raw: string): number => raw.split("TASKS/S").length - 1;

test("is plain lines on the normal screen, and leaves them there", async () => {
  const terminal = stage.open({ shell: 'echo earlier text; $TOP; echo "ended with $?"', env: ENV });
  await terminal.waitFor(/17 render-frames +R +78%/);
  expect(terminal.modes()).toMatchObject({ alternateScreen: false });
  expect(terminal.screen()).toStartWith("earlier text\n");
  expect(terminal.screen()).not.toMatch(/[\u2500-\u259f\u2800-\u28ff]/);
  terminal.keys("j", "Enter");
  await terminal.waitFor(/job 19 thumbs/);
  terminal.keys("q");
  await terminal.waitFor(/ended with 0/);
  expect(terminal.sttyState()).toEqual({ canonical: true, echo: true, signals: true });
});

test("says news at most once a second", async () => {
  const { world, push } = stage.foreman;
  const terminal = stage.open({ env: ENV });
  await terminal.waitFor(/render-frames/);
  const startedAtMs = performance.now();
  const position = terminal.raw.byteCount;
  for (let news = 1; news <= 60; news++) {
    world.overview = { rate: { now: 1000 + news, average: 1, peak: 2 } };
    push();
    await Bun.sleep(50);
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  const updates = updatesIn(terminal.raw.since(position));
  expect(updates).toBeGreaterThan(0);
  expect(updates).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
});
