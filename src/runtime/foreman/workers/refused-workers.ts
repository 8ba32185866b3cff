/** Tells of workers that were turned away, of each name at most once a minute: they try again and again. */
import type { WorkerId } from "../../protocol/ids.ts";

const AGAIN_MS = 60_000;
const NAMES_MAX = 1_000;

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export type NoteRefused = (workerId: WorkerId, refusal: Refusal) => void;

export function noteRefusals(parts: {
  nowMs(): number;
  readonly onRefused: NoteRefused;
}): NoteRefused {
  const toldAtMs = new Map<WorkerId, number>();
  return (workerId, refusal) => {
    const atMs = parts.nowMs();
    if (atMs - (toldAtMs.get(workerId) ?? 0) < AGAIN_MS) return;
    if (toldAtMs.size >= NAMES_MAX) toldAtMs.clear();
    toldAtMs.set(workerId, atMs);
    parts.onRefused(workerId, refusal);
  };
}
