/** Figures of one monitor in a terminal, and how they are printed. */
import type { TestTerminal } from "../../test/support/terminal/terminal.ts";
import { processUse } from "./installation.ts";

export interface Sample {
  readonly cpuPercent: number;
  readonly residentMib: number;
  readonly bytesPerSecond: number;
}

/** What it costs while nobody touches it. */
export async function sampleUse(terminal: TestTerminal, durationMs: number): Promise<Sample> {
  const before = processUse(terminal.pid);
  const bytesBefore = terminal.raw.byteCount;
  const startedAtMs = performance.now();
  await Bun.sleep(durationMs);
  const elapsedMs = performance.now() - startedAtMs;
  const after = processUse(terminal.pid);
  return {
    cpuPercent: (100 * (after.cpuMs - before.cpuMs)) / elapsedMs,
    residentMib: after.residentMib,
    bytesPerSecond: ((terminal.raw.byteCount - bytesBefore) * 1000) / elapsedMs,
  };
}

/** From a key's press until the screen shows what it did: the mark of the selection on another row. */
export async function keyEchoes(terminal: TestTerminal, count: number): Promise<readonly number[]> {
  const durations: number[] = [];
  for (let press = 0; press < count; press++) {
    const before = markedRow(terminal);
    const startedAtMs = performance.now();
    terminal.keys(press % 8 < 4 ? "j" : "k");
    await terminal.waitFor(() => markedRow(terminal) !== before);
    durations.push(performance.now() - startedAtMs);
    // Keys do not come in step with the frames of the data.
    await Bun.sleep(20 + ((press * 37) % 61));
  }
  return durations;
}

/** By the row's own number: what is in it changes. */
const markedRow = (terminal: TestTerminal): number =>
  terminal
    .screen()
    .split("\n")
    .findIndex((row) => row.startsWith(">"));

/** How long until this appears after the act. */
export async function timeUntil(
  terminal: TestTerminal,
  act: () => void,
  expected: RegExp,
): Promise<number> {
  const startedAtMs = performance.now();
  act();
  await terminal.waitFor(expected);
  return performance.now() - startedAtMs;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
export const percent = (value: number): string => `${value.toFixed(1)} %`;
export const mib = (value: number): string => `${value.toFixed(0)} MiB`;

/** `least / middle / most`, as docs/performance.md has them. */
export const spread = (values: readonly number[], show: (value: number) => string): string =>
  [0, 0.5, 1].map((share) => show(quantile(values, share))).join(" / ");

export function printFigure(name: string, figure: string): void {
  console.log(`${name.padEnd(52)} ${figure}`);
}
