/** The port and the dial on Node, where `ws` is the npm package: the same rules as in server.test.ts. */
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import {
  FRAME_BYTES_MAX,
  FRAME_BYTES_MAX_UNAUTHENTICATED,
  SEND_QUEUE_BYTES_MAX,
} from "../../../src/runtime/protocol/limits.ts";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import { createKey } from "../../../src/runtime/transport/keys.ts";
import {
  announceHugeFrame,
  createRecorder,
  openRaw,
  rejectionOf,
  startTestForeman,
  stopTestForemen,
  type TestForeman,
} from "./rig.ts";

afterEach(stopTestForemen);
// A socket that leaks would keep the process; the runner's own limit then reports it.
after(stopTestForemen);

const chunk = (number: number): Message => ({
  type: "blob_chunk",
  request: 1,
  sha256: "0".repeat(64),
  number,
  data: new Uint8Array(1024 * 1024),
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return ((await rejectionOf(promise)) as { code: string }).code;
}

async function joined(foreman: TestForeman) {
  const recorder = createRecorder();
  const channel = await foreman.dial({ handler: recorder });
  return { channel, recorder, atForeman: await foreman.opened() };
}

test("messages travel both ways in order", async () => {
  const { channel, recorder, atForeman } = await joined(await startTestForeman());
  for (let beat = 0; beat < 100; beat++) channel.send({ type: "heartbeat_echo", beat });
  for (let beat = 0; beat < 100; beat++) {
    assert.deepEqual(await atForeman.recorder.next(), { type: "heartbeat_echo", beat });
  }
  atForeman.channel.send(chunk(3));
  assert.equal((await recorder.next()).type, "blob_chunk");
});

test("JSON clients are served", async () => {
  const foreman = await startTestForeman();
  const channel = await foreman.dial({ encoding: "json" });
  channel.send({ type: "heartbeat_echo", beat: 1 });
  const { recorder } = await foreman.opened();
  assert.deepEqual(await recorder.next(), { type: "heartbeat_echo", beat: 1 });
});

test("dials that fail are told apart", async () => {
  const foreman = await startTestForeman();
  assert.equal(await codeOf(foreman.dial({ key: createKey("client") })), "foreman_mismatch");
  assert.equal(await codeOf(foreman.dial({ role: "worker" })), "wrong_role");
  assert.equal(await codeOf(foreman.dial({ url: `${foreman.listener.url}/x` })), "refused");
  await foreman.listener.close();
  assert.equal(await codeOf(foreman.dial()), "foreman_unreachable");
});

test("Origin, foreign Host and other sub-protocols are refused before the upgrade", async () => {
  const foreman = await startTestForeman();
  const refused = (options: Parameters<typeof openRaw>[1]) =>
    rejectionOf(openRaw(foreman, options));
  assert.match(String(await refused({ headers: { origin: "null" } })), /refused with 403/);
  assert.match(String(await refused({ headers: { host: "evil.example" } })), /refused with 403/);
  assert.match(String(await refused({ subprotocols: ["chat"] })), /refused with 400/);
  const health = await fetch(`http://127.0.0.1:${foreman.listener.port}/health`);
  assert.equal(((await health.json()) as { status: string }).status, "healthy");
});

test("a silent stranger is cut at the deadline, a talkative one at 4 KiB", async () => {
  const foreman = await startTestForeman({ authenticationDeadlineMs: 30 });
  const silent = await openRaw(foreman);
  assert.equal((await silent.closed).code, 1008);
  const talkative = await openRaw(foreman);
  talkative.socket.send(new Uint8Array(FRAME_BYTES_MAX_UNAUTHENTICATED + 1));
  assert.equal((await talkative.closed).code, 1009);
});

test("a stranger that announces a huge frame is cut after a few kilobytes of it", async () => {
  const clock = createManualClock();
  const { closeFrame, answer } = await announceHugeFrame(await startTestForeman({ clock }));
  assert.equal(closeFrame.readUInt16BE(2), 1009);
  clock.advance(2_000);
  await answer;
});

test("malformed, oversized and out of turn frames close with a code, and harm nobody", async () => {
  const foreman = await startTestForeman();
  const { channel } = await joined(foreman);
  const cases: [Uint8Array | string, number][] = [
    [Uint8Array.of(0xde, 0xff), 1007],
    ["text", 1003],
    [encodeFrame({ type: "shutdown", request: 1, force: true }, "msgpack"), 1008],
    [new Uint8Array(FRAME_BYTES_MAX + 1), 1009],
  ];
  for (const [frame, code] of cases) {
    const raw = await openRaw(foreman);
    raw.socket.send(frame);
    assert.equal((await raw.closed).code, code);
  }
  assert.equal(channel.isOpen, true);
});

test("a paused reader makes the queue grow, and gets everything when it resumes", async () => {
  const { channel, recorder, atForeman } = await joined(await startTestForeman());
  channel.pause();
  let count = 0;
  while (atForeman.channel.queuedBytes() < SEND_QUEUE_BYTES_MAX)
    atForeman.channel.send(chunk(count++));
  const drained = atForeman.channel.drained();
  channel.resume();
  await drained;
  for (let number = 0; number < count; number++) {
    assert.equal((await recorder.next()).type, "blob_chunk");
  }
  assert.equal(atForeman.channel.queuedBytes(), 0);
});

test("a queue that overflows closes the peer", async () => {
  const clock = createManualClock();
  const { channel, atForeman } = await joined(await startTestForeman({ clock }));
  channel.pause();
  for (let number = 0; atForeman.channel.isOpen && number < 200; number++) {
    atForeman.channel.send(chunk(number));
  }
  clock.advance(2_000);
  const end = await atForeman.recorder.ended;
  assert.deepEqual([end.code, end.byUs], [1008, true]);
});

test("a close tells code and reason to both sides, once", async () => {
  const { channel, recorder, atForeman } = await joined(await startTestForeman());
  channel.close(1000, "done");
  assert.deepEqual(await recorder.ended, { code: 1000, reason: "done", byUs: true });
  assert.deepEqual(await atForeman.recorder.ended, { code: 1000, reason: "done", byUs: false });
  assert.deepEqual([recorder.endCount, atForeman.recorder.endCount], [1, 1]);
});
