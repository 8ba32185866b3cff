/**
 * The two forms of every fault test. `npm test` runs the quick one: few rounds, shortened heartbeat, lease
 * and grace. `npm run test:faults -- --long` runs the full counts with the timings a user has, and prints
 * the figures it measures. Neither form asserts wall time: order and content only.
 */

/** Whether `--long` was given (scripts/test.ts hands it on). */
export const LONG = process.env["CC_TEST_LONG"] === "1";

/** So many rounds, tasks, kills … */
export const count = (quick: number, long: number): number => (LONG ? long : quick);

export interface Timing {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly graceMs: number;
}

/** What `cc foreman` has when nobody says otherwise. */
export const DEFAULT_TIMING: Timing = { heartbeatMs: 3_000, leaseMs: 15_000, graceMs: 5_000 };

/** For rows where losses are waited for. A loaded machine must still answer within this lease. */
export const SHORT_TIMING: Timing = { heartbeatMs: 200, leaseMs: 3_000, graceMs: 1_000 };

/** For rows where nobody may be taken for lost, however loaded the machine is. */
export const PATIENT_TIMING: Timing = { heartbeatMs: 500, leaseMs: 30_000, graceMs: 20_000 };

/** The default timings in the long form, the given ones in the quick form. */
export const timing = (quick: Timing): Timing => (LONG ? DEFAULT_TIMING : quick);

export function timingArguments({ heartbeatMs, leaseMs, graceMs }: Timing): readonly string[] {
  return [
    "--heartbeat",
    `${heartbeatMs}ms`,
    "--lease",
    `${leaseMs}ms`,
    "--reconnect-grace",
    `${graceMs}ms`,
  ];
}

/** A figure for the report of the long form. */
export function report(figure: string): void {
  if (LONG) console.log(`figure: ${figure}`);
}

/** How a figure shows a duration. */
export const secondsSince = (startedAtMs: number): string =>
  `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;

/** For `test(…, TEST_MS)`: a safety net, not an assertion. */
export const TEST_MS = LONG ? 30 * 60_000 : 60_000;

/** For `beforeAll`: the first file also builds the binaries. */
export const SETUP_MS = 180_000;
