/** Images of screens: each cell where it belongs, with its colour, and nothing that breaks the file. */
import { expect, test } from "bun:test";
import { renderScreenSvg } from "../../scripts/screens/screen-svg.ts";
import { shapeOf } from "../../scripts/screens/shapes.ts";
import { type Cell, createEmulator } from "../support/terminal/emulator.ts";

async function cellsOf(text: string): Promise<readonly (readonly Cell[])[]> {
  const emulator = createEmulator(20, 2);
  await new Promise<void>((resolve) => emulator.write(Buffer.from(text), resolve));
  const cells = emulator.cells();
  emulator.dispose();
  return cells;
}

test("words stand at their columns, in their colours", async () => {
  const svg = renderScreenSvg(await cellsOf("\u001b[31;1mred\u001b[0m  <plain> &"), "a screen");
  expect(svg).toContain(
    '<text x="12" y="25" textLength="24" lengthAdjust="spacingAndGlyphs" fill="#f0625f" font-weight="bold">red</text>',
  );
  expect(svg).toContain(
    '<text x="52" y="25" textLength="72" lengthAdjust="spacingAndGlyphs">&lt;plain&gt; &amp;</text>',
  );
  expect(svg).toContain("<title>a screen</title>");
});

test("an inverse cell has its colours exchanged, a dim one is faint", async () => {
  const svg = renderScreenSvg(await cellsOf("\u001b[7mx\u001b[0;2my"), "t");
  expect(svg).toContain('<path fill="#d5d9df" d="M12 12h8v17h-8z"/>');
  expect(svg).toContain('fill="#12151a">x</text>');
  expect(svg).toContain('opacity="0.55">y</text>');
});

test("charts are shapes that fill their cells, and letters are not", async () => {
  const box = { x: 0, y: 0, width: 8, height: 16 };
  expect(shapeOf("█", box)?.path).toBe("M0 0h8v16h-8z");
  expect(shapeOf("▄", box)?.path).toBe("M0 8h8v8h-8z");
  expect(shapeOf("▌", box)?.path).toBe("M0 0h4v16h-4z");
  expect(shapeOf("▒", box)?.opacity).toBe(0.5);
  expect(shapeOf("⣿", box)?.path.match(/M/g)).toHaveLength(8);
  expect(shapeOf("┌", box)?.path.match(/M/g)).toHaveLength(2);
  expect(shapeOf("a", box)).toBeNull();
  expect(renderScreenSvg(await cellsOf("█"), "t")).not.toContain("<text");
});

test("colours beyond the sixteen follow from their numbers", async () => {
  const svg = renderScreenSvg(
    await cellsOf("\u001b[38;5;196ma\u001b[38;5;244mb\u001b[38;2;1;2;3mc"),
    "t",
  );
  expect(svg).toContain('fill="#ff0000">a<');
  expect(svg).toContain('fill="#808080">b<');
  expect(svg).toContain('fill="#010203">c<');
});
