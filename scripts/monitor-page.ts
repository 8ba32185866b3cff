/**
 * Keeps the table of keys in `docs/monitor.md` what the monitor's key table says; the rest of that page is
 * written by hand.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  KEY_GROUPS,
  KEY_TABLE,
  type KeyBinding,
  type KeyGroup,
  keyLabel,
} from "../src/tui/navigation/key-table.ts";

const PAGE = resolve(import.meta.dir, "..", "docs", "monitor.md");
const BEGIN = "<!-- keys: written by npm run generate -->";
const END = "<!-- end of keys -->";

/** The page as it is, with the keys as they are in the code. */
export function renderMonitorPage(): string {
  const page = readFileSync(PAGE, "utf8");
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`${PAGE} has no place for the keys: "${BEGIN}" … "${END}"`);
  }
  return `${before}${BEGIN}\n${KEY_GROUPS.map(renderGroup).join("\n")}\n${END}${after}`;
}

const GROUP_TITLES: Readonly<Record<KeyGroup, string>> = {
  MOVE: "Move",
  FIND: "Find",
  ACT: "Act (asks first)",
  VIEW: "View",
  EVERYWHERE: "Everywhere",
};

function renderGroup(group: KeyGroup): string {
  const bindings = KEY_TABLE.filter((binding) => binding.group === group);
  return [
    `| ${GROUP_TITLES[group]} | | where |`,
    "|---|---|---|",
    ...bindings.map(
      (binding) =>
        `| ${binding.keys.map(keyCode).join(" ")} | ${binding.help} | ${placesOf(binding)} |`,
    ),
    "",
  ].join("\n");
}

const keyCode = (key: string): string => `\`${keyLabel(key).replaceAll("|", "\\|")}\``;

function placesOf({ where }: KeyBinding): string {
  if (where === null) return "everywhere";
  return where.map((place) => place.replace("/", ", ")).join(" · ");
}
