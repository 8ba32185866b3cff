/** Sentences broken into lines between words; a word that is longer than a line is cut. Text is inert. */
import { cellWidth, headOf } from "./cells.ts";

export function wrapWords(text: string, width: number): readonly string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (cellWidth(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (cellWidth(line) > width) {
      const head = headOf(line, width) || ([...line][0] ?? "");
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}
