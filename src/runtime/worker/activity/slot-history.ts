/**
 * Which job each slot served in each of the last two minutes' seconds, so that whoever begins to look
 * sees where idle time was. Always kept: a few stores a batch and a row of numbers a second.
 */
import { LANE_JOBS_MAX, LANE_SECONDS } from "../../protocol/limits.ts";
import {
  LANE_FAILED,
  LANE_FIRST_JOB,
  LANE_IDLE,
  LANE_OTHER_JOB,
} from "../../protocol/messages/worker.ts";

const IDLE = 0;
const FAILED = 0xffffffff;

/** Seconds of lanes as they travel. */
export interface LaneColumns {
  readonly seconds: number;
  readonly lanes: Uint8Array;
  readonly jobs: number[];
}

export interface SlotHistory {
  /** Work of this job was on these slots (from 1) within this second. */
  used(slots: readonly number[], jobId: number): void;
  failed(slots: readonly number[]): void;
  /** The second is over. */
  endSecond(): void;
  /** Seconds that have ended, ever. */
  readonly secondCount: number;
  /** The last ones, at most as many as are remembered. */
  last(secondCount: number): LaneColumns;
}

export function createSlotHistory(slotCount: number): SlotHistory {
  /** A row of slots a second. */
  const rows = new Uint32Array(slotCount * LANE_SECONDS);
  const now = new Uint32Array(slotCount);
  let secondCount = 0;

  function last(wanted: number): LaneColumns {
    const seconds = Math.min(wanted, secondCount, LANE_SECONDS);
    const lanes = new Uint8Array(slotCount * seconds);
    const byteOf = new Map<number, number>([
      [IDLE, LANE_IDLE],
      [FAILED, LANE_FAILED],
    ]);
    const jobs: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const row = (secondCount - seconds + second) % LANE_SECONDS;
      for (let slot = 0; slot < slotCount; slot++) {
        const held = rows[row * slotCount + slot] as number;
        let byte = byteOf.get(held);
        if (byte === undefined) {
          byte = jobs.length < LANE_JOBS_MAX ? LANE_FIRST_JOB + jobs.length : LANE_OTHER_JOB;
          if (byte !== LANE_OTHER_JOB) jobs.push(held);
          byteOf.set(held, byte);
        }
        lanes[slot * seconds + second] = byte;
      }
    }
    return { seconds, lanes, jobs };
  }

  return {
    used(slots, jobId) {
      for (const slot of slots) if (now[slot - 1] !== FAILED) now[slot - 1] = jobId;
    },
    failed(slots) {
      for (const slot of slots) now[slot - 1] = FAILED;
    },
    endSecond() {
      rows.set(now, (secondCount % LANE_SECONDS) * slotCount);
      secondCount++;
      now.fill(IDLE);
    },
    get secondCount() {
      return secondCount;
    },
    last,
  };
}
