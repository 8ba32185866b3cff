/** What `O` gives to a pager: a whole log from its start, or the text of the screen. */
import type { MonitorFeed } from "../feed.ts";
import { inert } from "../text/cells.ts";
import type { LogPlace } from "./log-reader.ts";

const PAGE_BYTES = 256 * 1024;

/** @throws FeedError */
export async function* wholeLog(
  feed: Pick<MonitorFeed, "readLog">,
  place: LogPlace,
): AsyncIterable<string> {
  const { jobId, index } = place;
  let cursor: number | null = 0;
  for (;;) {
    const page = await feed.readLog({
      jobId,
      index,
      attempt: place.attempt ?? 0,
      failed: false,
      direction: "forward",
      cursor,
      bytesMax: PAGE_BYTES,
      wait: false,
    });
    const prefix =
      index === null ? (line: { index: number }) => `${jobId}/${line.index} ` : () => "";
    // A pager may show control sequences; other people's must not reach the terminal.
    yield page.lines.map((line) => `${prefix(line)}${inert(line.text)}\n`).join("");
    if (page.atEnd || page.nextCursor === cursor) return;
    cursor = page.nextCursor;
  }
}

export async function* textOnce(text: string): AsyncIterable<string> {
  yield text;
}
