import { afterEach, describe, expect, test } from "bun:test";
import { createManualClock, systemClock } from "../../../src/runtime/platform/clock.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import { createBackoff } from "../../../src/runtime/transport/backoff.ts";
import type { Channel, ChannelEnd } from "../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";
import {
  createReconnectingChannel,
  type ReconnectingOptions,
} from "../../../src/runtime/transport/reconnecting.ts";
import type { OnChannel } from "../../../src/runtime/transport/socket-channel.ts";
import { createRecorder, startTestForeman, stopTestForemen } from "./rig.ts";

afterEach(stopTestForemen);

const away = new CcError({ code: "foreman_unreachable", message: "away", retryable: true });
const refused = new CcError({ code: "wrong_key", message: "no" });

/** A foreman that a test switches on and off, without sockets or time. */
function rig(changes: Partial<ReconnectingOptions> = {}) {
  const clock = createManualClock();
  const log: string[] = [];
  const state = { error: away as CcError | null, dialCount: 0, atForeman: [] as Channel[] };
  const settled = { waiters: [] as (() => void)[] };
  const note = (line: string): void => {
    log.push(line);
    for (const release of settled.waiters.splice(0)) release();
  };
  const dial = async (onChannel: OnChannel): Promise<Channel> => {
    state.dialCount++;
    if (state.error !== null) throw state.error;
    const pair = createChannelPair({
      client: {
        role: "worker",
        keyId: "k",
        owner: "ada",
        scopes: ["work"],
        address: "memory",
        programVersion: "0",
      },
      welcome: {
        foremanId: "f",
        epoch: 1,
        owner: "ada",
        programVersion: "0",
        heartbeatMs: 3_000,
        leaseMs: 15_000,
      },
      clock,
      onForemanSide: () => createRecorder(),
      onClientSide: onChannel,
    });
    state.atForeman.push(pair.foreman);
    return pair.client;
  };
  const reconnecting = createReconnectingChannel({
    dial,
    onConnected() {
      note("connected");
      return { onMessage: () => {}, onClose: (end) => note(`handler ${end.code}`) };
    },
    onLost: (end: ChannelEnd) => note(`lost ${end.code}`),
    onRetry: ({ delayMs }) => note(`retry ${delayMs}`),
    onFatal: (error) => note(`fatal ${error.code}`),
    clock,
    chance: () => 0.5,
    ...changes,
  });
  /** Until the log has that many lines. */
  const lines = async (count: number): Promise<string[]> => {
    while (log.length < count) await new Promise<void>((resolve) => settled.waiters.push(resolve));
    return log;
  };
  return { clock, state, reconnecting, lines, log };
}

describe("the delays", () => {
  test("make three tries within two seconds whatever is drawn, then stay within five", () => {
    for (const draw of [0, 0.5, 0.999999]) {
      const backoff = createBackoff(() => draw);
      const delays = Array.from({ length: 12 }, () => backoff.nextDelayMs());
      const early = delays.slice(0, 3).reduce((sum, delay) => sum + delay, 0);
      expect(early).toBeLessThan(2_000);
      expect(Math.max(...delays)).toBeLessThanOrEqual(5_000);
      expect(Math.min(...delays.slice(4))).toBeGreaterThanOrEqual(2_500);
      backoff.reset();
      expect(backoff.nextDelayMs()).toBe(delays[0] as number);
    }
  });

  test("spread peers that lost the same foreman", () => {
    const first = [0.01, 0.4, 0.99].map((draw) => createBackoff(() => draw).nextDelayMs());
    expect(new Set(first.map(Math.round)).size).toBe(3);
  });
});

describe("a channel that comes back", () => {
  test("dials again after each failure and each loss, and tells both", async () => {
    const { clock, state, reconnecting, lines } = rig();
    expect(await lines(1)).toEqual(["retry 135"]);
    expect(reconnecting.channel).toBeNull();
    state.error = null;
    clock.advance(135);
    await lines(2);
    expect(reconnecting.channel?.isOpen).toBe(true);
    state.atForeman[0]?.close(1001, "restart");
    expect(await lines(4)).toEqual(["retry 135", "connected", "handler 1001", "lost 1001"]);
    expect(reconnecting.channel).toBeNull();
    clock.advance(450);
    expect((await lines(5)).at(-1)).toBe("connected");
    expect(state.dialCount).toBe(3);
  });

  test("waits longer each time a connection does not last, and forgets it after one that did", async () => {
    const { clock, state, lines, log } = rig();
    state.error = null;
    await lines(1);
    clock.advance(135);
    const delayAfterLoss = async (): Promise<string | undefined> => {
      const count = log.length;
      state.error = away;
      state.atForeman.at(-1)?.close(1001, "");
      await lines(count + 2);
      clock.advance(5_000);
      const retry = (await lines(count + 3)).at(-1);
      state.error = null;
      clock.advance(5_000);
      await lines(count + 4);
      return retry;
    };
    expect(await delayAfterLoss()).toBe("retry 750");
    expect(await delayAfterLoss()).toBe("retry 3750");
    clock.advance(6_000);
    expect(await delayAfterLoss()).toBe("retry 450");
  });

  test("ends for good at a refusal that no retry changes", async () => {
    const { clock, state, lines } = rig();
    await lines(1);
    state.error = refused;
    clock.advance(135);
    expect(await lines(2)).toEqual(["retry 135", "fatal wrong_key"]);
    clock.advance(60_000);
    expect(state.dialCount).toBe(2);
    expect(clock.pendingTimerCount).toBe(0);
  });

  test("ends after as many failures in a row as it may have", async () => {
    const { clock, lines } = rig({ attemptsMax: 2 });
    await lines(1);
    clock.advance(135);
    expect(await lines(2)).toEqual(["retry 135", "fatal foreman_unreachable"]);
  });

  test("ends when it has been without a connection for too long", async () => {
    const { clock, lines, log } = rig({ giveUpAfterMs: 10_000 });
    for (let count = 1; !log.at(-1)?.startsWith("fatal"); count++) {
      await lines(count);
      clock.advance(5_000);
    }
    expect(clock.monotonicMs()).toBeLessThanOrEqual(20_000);
    expect(log.at(-1)).toBe("fatal foreman_unreachable");
  });

  test("is stopped while it waits, and never dials again", async () => {
    const { clock, state, reconnecting, lines } = rig();
    await lines(1);
    reconnecting.stop();
    reconnecting.stop();
    clock.advance(60_000);
    expect(state.dialCount).toBe(1);
    expect(clock.pendingTimerCount).toBe(0);
  });

  test("is stopped while it is connected: the channel closes, nothing is called lost", async () => {
    const { clock, state, reconnecting, lines, log } = rig();
    state.error = null;
    await lines(1);
    clock.advance(135);
    await lines(2);
    reconnecting.stop("drained");
    await lines(3);
    clock.advance(60_000);
    expect(log).toEqual(["retry 135", "connected", "handler 1000"]);
    expect(state.dialCount).toBe(2);
  });

  test("is stopped while it dials, and the dial is given up", async () => {
    const { promise: given, resolve: give } = Promise.withResolvers<AbortSignal>();
    const { reconnecting, log } = rig({
      dial: (_onChannel, signal) => {
        give(signal);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      },
    });
    const signal = await given;
    reconnecting.stop();
    expect(signal.aborted).toBe(true);
    await Promise.resolve();
    expect(log).toEqual([]);
  });

  test("finds a foreman that restarts on the same port", async () => {
    const first = await startTestForeman();
    const { port } = first.listener;
    const connected: string[] = [];
    const { promise: back, resolve } = Promise.withResolvers<void>();
    const reconnecting = createReconnectingChannel({
      dial: (handler) => first.dial({ handler }),
      onConnected(channel) {
        connected.push(channel.welcome?.foremanId ?? "");
        if (connected.length === 2) resolve();
        return createRecorder();
      },
      onFatal: (error) => connected.push(error.code),
      clock: systemClock,
      chance: () => 0,
    });
    await first.opened();
    await first.listener.close();
    await startTestForeman({
      port,
      foremanId: "foreman-2",
      keys: { find: (keyId) => (keyId === first.clientKey.keyId ? first.clientEntry : null) },
    });
    await back;
    expect(connected).toEqual(["foreman-1", "foreman-2"]);
    reconnecting.stop();
  });
});
