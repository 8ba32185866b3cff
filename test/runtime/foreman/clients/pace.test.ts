import { expect, test } from "bun:test";
import { type PacedHandler, paceChannel } from "../../../../src/runtime/foreman/clients/pace.ts";
import type { Message } from "../../../../src/runtime/protocol/messages.ts";
import type { Channel, ChannelHandler } from "../../../../src/runtime/transport/channel.ts";

const MEBIBYTE = 2 ** 20;
const submission = (request: number): Message => ({ type: "get_job", request, job_id: 1 });
const question = (request: number): Message => ({
  type: "subscribe",
  request,
  view: { kind: "workers" },
  follow: false,
});

function createRig() {
  let posted = Promise.withResolvers<void>();
  let drained = Promise.withResolvers<void>();
  const rig = { heard: [] as number[], isPaused: false, queuedBytes: 0 };
  const channel = {
    pause() {
      rig.isPaused = true;
    },
    resume() {
      rig.isPaused = false;
    },
    queuedBytes: () => rig.queuedBytes,
    drained: () => drained.promise,
  } as unknown as Channel;
  const handler: PacedHandler = {
    onMessage: (message) => void rig.heard.push("request" in message ? Number(message.request) : 0),
    onClose: () => void rig.heard.push(-1),
  };
  const paced: ChannelHandler = paceChannel(channel, handler, () => posted.promise);
  return {
    rig,
    paced,
    /** All that was posted is committed. */
    async commit() {
      posted.resolve();
      posted = Promise.withResolvers();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
    async drain() {
      rig.queuedBytes = 0;
      drained.resolve();
      drained = Promise.withResolvers();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
  };
}

test("a peer within its credit is never held back", async () => {
  const { rig, paced, commit } = createRig();
  for (let i = 1; i <= 4; i++) paced.onMessage(submission(i), MEBIBYTE);
  expect(rig).toMatchObject({ isPaused: false, heard: [1, 2, 3, 4] });
  await commit();
  expect(rig.isPaused).toBe(false);
});

test("beyond it nothing more is read or done before most of it is committed, and then all of it, in order", async () => {
  const { rig, paced, commit } = createRig();
  for (let i = 1; i <= 10; i++) paced.onMessage(submission(i), MEBIBYTE);
  expect(rig).toMatchObject({ isPaused: true, heard: [1, 2, 3, 4, 5] });
  await commit();
  expect(rig.isPaused).toBe(true);
  expect(rig.heard.length).toBeLessThan(10);
  await commit();
  await commit();
  expect(rig).toMatchObject({ isPaused: false, heard: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
});

test("small messages count for more than their bytes, and questions for their answers", () => {
  const small = createRig();
  for (let i = 1; i <= 1_000; i++) small.paced.onMessage(submission(i), 50);
  expect(small.rig.heard.length).toBeLessThan(100);
  const curious = createRig();
  for (let i = 1; i <= 1_000; i++) curious.paced.onMessage(question(i), 50);
  expect(curious.rig.heard.length).toBeLessThan(3);
});

test("a peer that does not read its answers is asked nothing more until it has", async () => {
  const { rig, paced, commit, drain } = createRig();
  rig.queuedBytes = 5 * MEBIBYTE;
  paced.onMessage(submission(1), 50);
  paced.onMessage(submission(2), 50);
  await commit();
  expect(rig).toMatchObject({ isPaused: true, heard: [1] });
  await drain();
  expect(rig).toMatchObject({ isPaused: false, heard: [1, 2] });
});

test("what a peer said before it left counts, but nobody answers it", () => {
  const { rig, paced } = createRig();
  for (let i = 1; i <= 7; i++) paced.onMessage(submission(i), MEBIBYTE);
  paced.onMessage(question(8), 50);
  paced.onClose({ code: 1006, reason: "", byUs: false });
  expect(rig.heard).toEqual([1, 2, 3, 4, 5, 6, 7, -1]);
});
