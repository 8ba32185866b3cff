/** The few colours that screens use, each with one meaning. Without colour every function returns its text. */
import { Chalk } from "chalk";

export interface Palette {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly accent: (text: string) => string;
  /** By what a job's, task's or worker's state means. */
  readonly state: (text: string, state?: string) => string;
}

/** `enabled` is `context.color.stdout` or `.stderr`; it decides alone, not the library's own guess. */
export function createPalette(enabled: boolean): Palette {
  const chalk = new Chalk({ level: enabled ? 1 : 0 });
  const palette = {
    strong: chalk.bold,
    faint: chalk.dim,
    good: chalk.green,
    bad: chalk.red,
    warning: chalk.yellow,
    accent: chalk.cyan,
  };
  const byState: Readonly<Record<string, (text: string) => string>> = {
    running: palette.accent,
    completed: palette.good,
    failed: palette.bad,
    lost: palette.bad,
    cancelled: palette.warning,
    aborted: palette.warning,
    paused: palette.warning,
    draining: palette.warning,
    delayed: palette.warning,
    queued: palette.faint,
    blocked: palette.faint,
    gone: palette.faint,
  };
  return { ...palette, state: (text, state = text.trim()) => (byState[state] ?? String)(text) };
}
