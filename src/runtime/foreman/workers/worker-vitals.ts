/**
 * What connected workers last said of themselves with a heartbeat, by name, for views. In memory only,
 * and never what the machine decides by.
 */
import type { BootId, WorkerId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";

/** Names beyond this are forgotten once they are not connected. */
const NAMES_MAX = 5_000;

export interface WorkerVitals {
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  /** Of the beat before, as the worker measured it. */
  readonly roundTripMs: number | null;
  /** When its process was first here. */
  readonly connectedAtMs: number;
  readonly beatAtMs: number;
}

export interface VitalsBook {
  connected(workerId: WorkerId, bootId: BootId): void;
  /** Another boot of the same name may have come meanwhile. */
  disconnected(workerId: WorkerId, bootId: BootId): void;
  beat(workerId: WorkerId, bootId: BootId, heartbeat: MessageOf<"heartbeat">): void;
  /** null: it is not connected, or has not beaten yet. */
  of(workerId: WorkerId): WorkerVitals | null;
}

interface Entry {
  readonly bootId: BootId;
  readonly connectedAtMs: number;
  isConnected: boolean;
  vitals: WorkerVitals | null;
}

/** @param onBeat hears each heartbeat of a connected worker. */
export function createVitalsBook(
  nowMs: () => number,
  onBeat: (workerId: WorkerId, heartbeat: MessageOf<"heartbeat">) => void = () => {},
): VitalsBook {
  const entries = new Map<WorkerId, Entry>();

  function find(workerId: WorkerId, bootId: BootId): Entry | null {
    const entry = entries.get(workerId);
    return entry?.bootId === bootId ? entry : null;
  }

  function forgetSome(): void {
    for (const [workerId, { isConnected }] of entries) {
      if (entries.size <= NAMES_MAX) return;
      if (!isConnected) entries.delete(workerId);
    }
  }

  return {
    connected(workerId, bootId) {
      const known = find(workerId, bootId);
      if (known) known.isConnected = true;
      else {
        const connectedAtMs = nowMs();
        entries.set(workerId, { bootId, connectedAtMs, isConnected: true, vitals: null });
        forgetSome();
      }
    },
    disconnected(workerId, bootId) {
      const entry = find(workerId, bootId);
      if (entry) entry.isConnected = false;
    },
    beat(workerId, bootId, heartbeat) {
      const entry = find(workerId, bootId);
      if (!entry) return;
      const { cpu, memory, round_trip_us } = heartbeat;
      entry.vitals = {
        cpuPercent: cpu,
        memoryPercent: memory,
        roundTripMs: round_trip_us === undefined ? null : round_trip_us / 1000,
        connectedAtMs: entry.connectedAtMs,
        beatAtMs: nowMs(),
      };
      onBeat(workerId, heartbeat);
    },
    of(workerId) {
      const entry = entries.get(workerId);
      return entry?.isConnected ? entry.vitals : null;
    },
  };
}
