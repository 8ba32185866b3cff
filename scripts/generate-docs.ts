/**
 * `npm run generate`: writes the documents that are made from the code. With `--check` it writes nothing and
 * fails when one of them is not what the code says.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { renderCommandsPage } from "./commands-page.ts";
import { renderEventsPage } from "./events-page.ts";
import { renderMonitorPage } from "./monitor-page.ts";
import { renderProtocolPage } from "./protocol-page.ts";
import { renderProtocolSchema } from "./protocol-schema.ts";

const ROOT = resolve(import.meta.dir, "..");

/** File, from the root, and how it is made. */
const PAGES: Readonly<Record<string, () => string>> = {
  "docs/commands.md": renderCommandsPage,
  "docs/events.md": renderEventsPage,
  "docs/monitor.md": renderMonitorPage,
  "docs/protocol.md": renderProtocolPage,
  "docs/protocol.schema.json": renderProtocolSchema,
};

function readPage(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch {
    // Not generated yet, which `--check` reports as stale.
    return null;
  }
}

const stale = Object.entries(PAGES).filter(([path, render]) => readPage(path) !== render());
if (process.argv.includes("--check")) {
  for (const [path] of stale)
    console.error(`${path} is not what the code says; run: npm run generate`);
  process.exit(stale.length === 0 ? 0 : 1);
}
for (const [path, render] of stale) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), render());
  console.error(`wrote ${path}`);
}
