/**
 * What observers look at: a snapshot at once and, when followed, what changed in it at most four times
 * a second. A view is built once a round for all who look at the same. A slow observer is skipped, not
 * queued for: what it gets next is told against what it got last, so it misses nothing that stands.
 */

import type { Clock, Timer } from "../../platform/clock.ts";
import type { ValueColumn } from "../../protocol/columns.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import type { View } from "../../protocol/messages/client.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { ViewPatch } from "../../protocol/view-patch.ts";
import type { Channel } from "../../transport/channel.ts";
import { pauseAfter } from "./subscriptions/tempo.ts";
import { createPatchSource, type Observer, sharingKey } from "./subscriptions/view-sharing.ts";

const SUBSCRIPTIONS_PER_CHANNEL_MAX = 64;
/** Figures that change by themselves (rates, ages) are sent again after so long. */
const REFRESH_MS = 1_000;

export interface ViewAnswer {
  /** Nobody changes it any more: it is kept to tell what is new in the next one. */
  readonly body: object;
  readonly value?: ValueColumn;
}

/** @throws CcError `no_such_job` and its like. */
export type BuildView = (view: View, observer: Observer) => Promise<ViewAnswer>;

export interface Subscriptions {
  open(channel: Channel, message: MessageOf<"subscribe">): Promise<void>;
  close(channel: Channel, request: number): void;
  drop(channel: Channel): void;
  /** Something that observers see has changed. */
  touch(): void;
  stop(): void;
}

/** Its first view is being built. */
interface Opening {
  readonly channel: Channel;
  readonly request: number;
}

interface Followed extends Opening {
  readonly view: View;
  readonly observer: Observer;
  readonly key: string;
  readonly wantsPatches: boolean;
  seq: number;
  /** What it got last. */
  sent: object;
  /** It was skipped in a round, as it had not read what it got before. */
  isBehind: boolean;
}

export function createSubscriptions(
  build: BuildView,
  nowMs: () => number,
  clock: Clock,
): Subscriptions {
  const followed = new Set<Followed>();
  const openings = new Set<Opening>();
  let timer: Timer | null = null;
  let isDirty = false;
  let refreshedAtMs = clock.monotonicMs();

  async function open(channel: Channel, message: MessageOf<"subscribe">): Promise<void> {
    const { request, view } = message;
    if (message.follow && countOf(channel) >= SUBSCRIPTIONS_PER_CHANNEL_MAX) throw tooMany();
    const observer = { owner: channel.peer.owner, sinceMs: nowMs() };
    const opening: Opening = { channel, request };
    if (message.follow) openings.add(opening);
    const { body, value } = await build(view, observer).catch((thrown: unknown) => {
      openings.delete(opening);
      throw thrown;
    });
    channel.send({ type: "snapshot", request, seq: 0, body, ...(value ? { value } : {}) });
    // It may have left, or said that it has seen enough, while the view was built.
    if (!openings.delete(opening) || !channel.isOpen) return;
    followed.add({
      channel,
      request,
      view,
      observer,
      key: sharingKey(view, observer),
      wantsPatches: message.patches === true,
      seq: 0,
      sent: body,
      isBehind: false,
    });
    if (timer === null) arm(0);
  }

  const countOf = (channel: Channel): number =>
    [...followed, ...openings].filter((entry) => entry.channel === channel).length;

  function forget(isMeant: (entry: Opening) => boolean): void {
    for (const entry of followed) if (isMeant(entry)) followed.delete(entry);
    for (const entry of openings) if (isMeant(entry)) openings.delete(entry);
  }

  function arm(costMs: number): void {
    timer = followed.size === 0 ? null : clock.setTimer(pauseAfter(costMs), () => void round());
  }

  async function round(): Promise<void> {
    const atMs = clock.monotonicMs();
    const isDue = isDirty || atMs - refreshedAtMs >= REFRESH_MS;
    if (isDue) {
      isDirty = false;
      refreshedAtMs = atMs;
    }
    let costMs = 0;
    for (const group of readyGroups(isDue)) {
      // Between two views the foreman may do what is waiting.
      if (costMs > 0) await new Promise<void>(clock.defer);
      costMs += await update(group);
    }
    arm(costMs);
  }

  /** Who is shown something now, by what they look at. */
  function readyGroups(isDue: boolean): Iterable<readonly [Followed, ...Followed[]]> {
    const groups = new Map<string, [Followed, ...Followed[]]>();
    for (const entry of followed) {
      if (!isDue && !entry.isBehind) continue;
      entry.isBehind = entry.channel.queuedBytes() > 0;
      if (entry.isBehind) continue;
      const group = groups.get(entry.key);
      if (group) group.push(entry);
      else groups.set(entry.key, [entry]);
    }
    return groups.values();
  }

  /** Of this thread where that can be told: what others do meanwhile is not looking's fault. */
  const spentMs = (): number => clock.cpuMs?.() ?? clock.monotonicMs();

  /** @returns what it took, in milliseconds. */
  async function update(group: readonly [Followed, ...Followed[]]): Promise<number> {
    const startedMs = spentMs();
    const [{ view, observer }] = group;
    try {
      const { body } = await build(view, observer);
      const patchFrom = createPatchSource(body);
      for (const entry of group) if (followed.has(entry)) tell(entry, body, patchFrom(entry.sent));
    } catch (thrown) {
      const error = toCcError(thrown).toView();
      for (const entry of group) {
        if (!followed.delete(entry)) continue;
        entry.channel.send({ type: "error", request: entry.request, ...error });
      }
    }
    return spentMs() - startedMs;
  }

  function tell(entry: Followed, body: object, patch: ViewPatch | null): void {
    if (patch === null) return;
    entry.sent = body;
    const { channel, request } = entry;
    const news = entry.wantsPatches ? { patch } : { body };
    channel.send({ type: "delta", request, seq: ++entry.seq, ...news });
  }

  return {
    open,
    close(channel, request) {
      forget((entry) => entry.channel === channel && entry.request === request);
    },
    drop(channel) {
      forget((entry) => entry.channel === channel);
    },
    touch() {
      isDirty = true;
    },
    stop() {
      followed.clear();
      openings.clear();
      timer?.cancel();
      timer = null;
    },
  };
}

const tooMany = (): CcError =>
  new CcError({
    code: "too_many_subscriptions",
    message: `A connection follows at most ${SUBSCRIPTIONS_PER_CHANNEL_MAX} views.`,
    exitCode: 3,
  });
