/**
 * What observers look at: a snapshot at once and, when followed, the view anew at most four times a
 * second while something changes. A slow observer is skipped, not queued for: its next delta is as
 * good as the ones it missed.
 */

import type { Clock, Timer } from "../../platform/clock.ts";
import type { ValueColumn } from "../../protocol/columns.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import type { View } from "../../protocol/messages/client.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { Channel } from "../../transport/channel.ts";

const DELTA_INTERVAL_MS = 250;
const SUBSCRIPTIONS_PER_CHANNEL_MAX = 64;
/** Figures that change by themselves (rates, ages) are sent again after so long. */
const REFRESH_MS = 1_000;

export interface ViewAnswer {
  readonly body: unknown;
  readonly value?: ValueColumn;
}

/**
 * `sinceMs`: when this observer began to look; what has happened before is not told.
 * @throws CcError `no_such_job` and its like.
 */
export type BuildView = (view: View, channel: Channel, sinceMs: number) => Promise<ViewAnswer>;

export interface Subscriptions {
  open(channel: Channel, message: MessageOf<"subscribe">): Promise<void>;
  close(channel: Channel, request: number): void;
  drop(channel: Channel): void;
  /** Something that observers see has changed. */
  touch(): void;
  stop(): void;
}

interface Followed {
  readonly channel: Channel;
  readonly request: number;
  readonly view: View;
  readonly sinceMs: number;
  seq: number;
  lastText: string;
}

export function createSubscriptions(
  build: BuildView,
  nowMs: () => number,
  clock: Clock,
): Subscriptions {
  const followed = new Set<Followed>();
  let timer: Timer | null = null;
  let isDirty = false;
  let sinceRefreshMs = 0;

  async function open(channel: Channel, message: MessageOf<"subscribe">): Promise<void> {
    const sinceMs = nowMs();
    const { request, view } = message;
    const { body, value } = await build(view, channel, sinceMs);
    channel.send({ type: "snapshot", request, seq: 0, body, ...(value ? { value } : {}) });
    // It may have left while the view was built.
    if (!message.follow || !channel.isOpen) return;
    if (countOf(channel) >= SUBSCRIPTIONS_PER_CHANNEL_MAX) {
      throw new CcError({
        code: "too_many_subscriptions",
        message: `A connection follows at most ${SUBSCRIPTIONS_PER_CHANNEL_MAX} views.`,
        exitCode: 3,
      });
    }
    followed.add({ channel, request, view, sinceMs, seq: 0, lastText: JSON.stringify(body) });
    arm();
  }

  const countOf = (channel: Channel): number =>
    [...followed].filter((entry) => entry.channel === channel).length;

  function arm(): void {
    if (timer !== null || followed.size === 0) return;
    timer = clock.setTimer(DELTA_INTERVAL_MS, () => void tick());
  }

  async function tick(): Promise<void> {
    sinceRefreshMs += DELTA_INTERVAL_MS;
    if (isDirty || sinceRefreshMs >= REFRESH_MS) {
      isDirty = false;
      sinceRefreshMs = 0;
      for (const entry of [...followed]) await update(entry);
    }
    timer = null;
    arm();
  }

  async function update(entry: Followed): Promise<void> {
    const { channel, request } = entry;
    if (channel.queuedBytes() > 0) return;
    try {
      const { body } = await build(entry.view, channel, entry.sinceMs);
      const text = JSON.stringify(body);
      if (text === entry.lastText) return;
      entry.lastText = text;
      channel.send({ type: "delta", request, seq: ++entry.seq, body });
    } catch (thrown) {
      followed.delete(entry);
      channel.send({ type: "error", request, ...toCcError(thrown).toView() });
    }
  }

  return {
    open,
    close(channel, request) {
      for (const entry of followed) {
        if (entry.channel === channel && entry.request === request) followed.delete(entry);
      }
    },
    drop(channel) {
      for (const entry of followed) if (entry.channel === channel) followed.delete(entry);
    },
    touch() {
      isDirty = true;
    },
    stop() {
      followed.clear();
      timer?.cancel();
      timer = null;
    },
  };
}
