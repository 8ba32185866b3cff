/**
 * When to draw: for a key at once (all keys of one input together), for data a few times a second, and never
 * while the terminal has not taken the frame before. Nothing is queued: what is drawn is what is so then.
 */
import type { Clock, Timer } from "../../runtime/platform/clock.ts";
import type { Urgency } from "../model/monitor-store.ts";

export interface PacerParts {
  readonly clock: Clock;
  /** Between two frames that only data asked for. */
  readonly dataPauseMs: number;
  readonly output: { readonly isBusy: boolean; whenIdle(onIdle: () => void): void };
  draw(): void;
}

export interface Pacer {
  request(urgency: Urgency): void;
  /** Nothing is drawn while somebody else has the terminal. */
  pause(): void;
  resume(): void;
  stop(): void;
}

export function createPacer({ clock, dataPauseMs, output, draw }: PacerParts): Pacer {
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let timer: Timer | null = null;
  let isScheduled = false;
  let isWaiting = false;
  let isPaused = false;
  let isStopped = false;

  function drawNow(): void {
    isScheduled = false;
    if (isPaused || isStopped) return;
    if (output.isBusy) {
      if (isWaiting) return;
      isWaiting = true;
      output.whenIdle(() => {
        isWaiting = false;
        drawNow();
      });
      return;
    }
    timer?.cancel();
    timer = null;
    drawnAtMs = clock.monotonicMs();
    draw();
  }

  function soon(): void {
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(drawNow);
  }

  return {
    request(urgency) {
      if (isPaused || isStopped) return;
      const waitMs = urgency === "key" ? 0 : dataPauseMs - (clock.monotonicMs() - drawnAtMs);
      if (waitMs <= 0) soon();
      else timer ??= clock.setTimer(waitMs, drawNow);
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      soon();
    },
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}
