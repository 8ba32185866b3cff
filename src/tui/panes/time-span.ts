/** Which stretch of time the charts of a screen show, and how its ends are labelled. */
import type { ChartWindow, ViewState } from "../navigation/view-state.ts";

export interface TimeSpan {
  readonly seconds: number;
  /** How long ago it ends. */
  readonly backSeconds: number;
}

const WINDOW_SECONDS: Readonly<Record<ChartWindow, number>> = { "2m": 120, "10m": 600, "1h": 3600 };

export const timeSpanOf = ({ chartWindow, backSeconds }: ViewState): TimeSpan => ({
  seconds: WINDOW_SECONDS[chartWindow],
  backSeconds,
});

/** `-2m`, `-1m`, `now`. */
export function axisLabels({ seconds, backSeconds }: TimeSpan): readonly [string, string, string] {
  return [
    sinceNow(backSeconds + seconds),
    sinceNow(backSeconds + seconds / 2),
    sinceNow(backSeconds),
  ];
}

function sinceNow(seconds: number): string {
  if (seconds <= 0) return "now";
  if (seconds < 60) return `-${Math.round(seconds)}s`;
  if (seconds < 3600) {
    const rest = Math.round(seconds % 60);
    return `-${Math.floor(seconds / 60)}m${rest === 0 ? "" : `${String(rest).padStart(2, "0")}s`}`;
  }
  const minutes = Math.round((seconds % 3600) / 60);
  return `-${Math.floor(seconds / 3600)}h${minutes === 0 ? "" : `${String(minutes).padStart(2, "0")}m`}`;
}
