/** The report of `cc doctor`, for people and as one JSON object. */
import { safeLine } from "../../runtime/platform/safe-text.ts";
import { formatPlural } from "../../tui/text/amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { createPalette, type Palette } from "../palette.ts";
import { printObject } from "../print.ts";
import type { Check, CheckSection, CheckState } from "./check.ts";

const MARKS: Readonly<Record<CheckState, string>> = { ok: "✓", warning: "!", failed: "✗" };

export async function printChecks(
  context: Pick<CommandContext, "io" | "json" | "quiet" | "color">,
  sections: readonly CheckSection[],
): Promise<void> {
  const all = sections.flatMap(({ checks }) => checks);
  const failedCount = countOf(all, "failed");
  if (context.json) {
    const checks = sections.flatMap(({ title, checks }) =>
      checks.map((check) => ({ section: title, ...check })),
    );
    await printObject(context, { ok: failedCount === 0, checks });
    return;
  }
  const palette = createPalette(context.color.stdout);
  const shown = sections
    .map(({ title, checks }) => ({ title, checks: context.quiet ? withoutOk(checks) : checks }))
    .filter(({ checks }) => checks.length > 0);
  const text = shown.map((section) => sectionText(section, palette)).join("\n");
  const end = context.quiet ? "" : `\n${summary(failedCount, countOf(all, "warning"))}\n`;
  await context.io.stdout.write(text + end);
}

const withoutOk = (checks: readonly Check[]): readonly Check[] =>
  checks.filter(({ state }) => state !== "ok");

function countOf(checks: readonly Check[], state: CheckState): number {
  return checks.filter((check) => check.state === state).length;
}

function sectionText({ title, checks }: CheckSection, palette: Palette): string {
  return `${palette.strong(title)}\n${checks.map((check) => checkText(check, palette)).join("")}`;
}

function checkText({ state, text, hint }: Check, palette: Palette): string {
  const paint = { ok: palette.good, warning: palette.warning, failed: palette.bad }[state];
  const line = `  ${paint(MARKS[state])} ${safeLine(text)}\n`;
  return hint === null ? line : `${line}    ${palette.faint("hint:")} ${safeLine(hint)}\n`;
}

function summary(failedCount: number, warningCount: number): string {
  const known = warningCount === 0 ? "" : `, ${formatPlural(warningCount, "thing")} to know`;
  if (failedCount === 0) return `nothing is wrong${known}`;
  return `${formatPlural(failedCount, "thing is", "things are")} wrong${known}`;
}
