/** Wiring only: what the emulator must see is tested on the compiled binary (test/e2e/top). */
import { afterEach, expect, test } from "bun:test";
import { cleanup, render } from "ink-testing-library";
import { App } from "../../../src/tui/ink/app.tsx";
import { createFrames } from "../../../src/tui/ink/frames.ts";

afterEach(cleanup);

/** Everything that React and the input parser have put off is done. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function show() {
  const frames = createFrames({ lines: ["one ", "two "], columns: 4 });
  const keys: string[] = [];
  const pasted: string[] = [];
  let isReady = false;
  const app = render(
    <App
      frames={frames}
      onKeys={(pressed) => keys.push(...pressed)}
      onPaste={(text) => pasted.push(text)}
      onReady={() => {
        isReady = true;
      }}
    />,
  );
  return { frames, keys, pasted, app, isReady: () => isReady };
}

test("rows are drawn as they are, and anew when they change", async () => {
  const { frames, app, isReady } = show();
  await settled();
  expect(isReady()).toBe(true);
  expect(app.lastFrame()).toBe("one\ntwo");
  frames.put({ lines: ["one ", "\u001b[36m2\u001b[0m   "], columns: 4 });
  await settled();
  expect(app.lastFrame()).toContain("one\n\u001b[36m2");
  frames.put({ lines: ["1   ", "2   ", "3   "], columns: 4 });
  await settled();
  expect(app.lastFrame()).toBe("1\n2\n3");
});

test("keys arrive by their names, several of one input in order, pasted text apart", async () => {
  const { keys, pasted, app } = show();
  await settled();
  app.stdin.write("jjG");
  app.stdin.write("\u001b[B");
  app.stdin.write("\u0003");
  app.stdin.write("\u001b[200~:quit\r\u001b[201~");
  await settled();
  expect(keys).toEqual(["j", "j", "G", "down", "ctrl-c"]);
  expect(pasted).toEqual([":quit\r"]);
});
