import { afterEach, describe, expect, test } from "bun:test";
import { Packr } from "msgpackr";
import { decodeFrame, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { FRAME_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import { SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "../../../src/runtime/protocol/messages.ts";
import { createPeerHandshake } from "../../../src/runtime/transport/handshake.ts";
import {
  errorIn,
  openRaw,
  type RawSocketRecord,
  startTestForeman,
  stopTestForemen,
  type TestForeman,
} from "./rig.ts";

afterEach(stopTestForemen);

const packr = new Packr({ useRecords: false });

/** A bare socket that has proved its key, so that what follows reaches a channel. */
async function openProven(foreman: TestForeman, subprotocol: string): Promise<RawSocketRecord> {
  const raw = await openRaw(foreman, { subprotocols: [subprotocol] });
  const encoding = subprotocol === SUBPROTOCOL_JSON ? "json" : "msgpack";
  const handshake = createPeerHandshake({ key: foreman.clientKey, role: "client", target: "t" });
  const decode = (frame: Buffer) => decodeFrame(encoding === "json" ? frame.toString() : frame);
  raw.socket.send(encodeFrame(handshake.hello, encoding));
  const proof = handshake.onMessage(decode(await raw.nextFrame()));
  if (proof.answer === null) throw new Error("the foreman's proof was not accepted");
  raw.socket.send(encodeFrame(proof.answer, encoding));
  expect(decode(await raw.nextFrame()).type).toBe("welcome");
  return raw;
}

describe("a proven peer", () => {
  test("that sends an unknown type is answered under its request and stays", async () => {
    const foreman = await startTestForeman();
    const msgpack = await openProven(foreman, SUBPROTOCOL_MSGPACK);
    msgpack.socket.send(packr.pack({ type: "dance", request: 17 }));
    expect(await errorIn(msgpack)).toMatchObject({ code: "unknown_message", request: 17 });
    const json = await openProven(foreman, SUBPROTOCOL_JSON);
    json.socket.send('{"type":"dance"}');
    const answer = await errorIn(json);
    expect(answer.code).toBe("unknown_message");
    expect(answer.request).toBeUndefined();
    json.socket.send('{"type":"heartbeat_echo","beat":3}');
    await foreman.opened();
    const { recorder } = await foreman.opened();
    expect(await recorder.next()).toEqual({ type: "heartbeat_echo", beat: 3 });
  });

  const malformed: [string, string, string | Uint8Array, number][] = [
    ["broken JSON", SUBPROTOCOL_JSON, '{"type":', 1007],
    ["JSON that is no object", SUBPROTOCOL_JSON, "[1]", 1007],
    ["a missing field", SUBPROTOCOL_JSON, '{"type":"heartbeat_echo"}', 1007],
    ["a wrong type", SUBPROTOCOL_JSON, '{"type":"heartbeat_echo","beat":"x"}', 1007],
    ["JSON of 500,000 levels", SUBPROTOCOL_JSON, "[".repeat(500_000), 1007],
    ["base64 that is none", SUBPROTOCOL_JSON, '{"type":"authenticate","mac":"*"}', 1007],
    ["bytes that are not UTF-8", SUBPROTOCOL_JSON, Uint8Array.of(0x7b, 0xff, 0xfe), 1007],
    ["broken MessagePack", SUBPROTOCOL_MSGPACK, Uint8Array.of(0xde, 0xff, 0xff), 1007],
    ["MessagePack of a million levels", SUBPROTOCOL_MSGPACK, new Uint8Array(1e6).fill(0x91), 1007],
    ["a list of four billion", SUBPROTOCOL_MSGPACK, Uint8Array.of(0xdd, 255, 255, 255, 255), 1007],
    ["nothing at all", SUBPROTOCOL_MSGPACK, new Uint8Array(0), 1007],
    ["text among MessagePack", SUBPROTOCOL_MSGPACK, "hello", 1003],
    ["columns that disagree", SUBPROTOCOL_MSGPACK, disagreeingColumns(), 1007],
  ];
  for (const [name, subprotocol, frame, code] of malformed) {
    test(`that sends ${name} is told so and closed with ${code}`, async () => {
      const foreman = await startTestForeman();
      const raw = await openProven(foreman, subprotocol);
      const neighbour = await foreman.dial();
      const { recorder } = await foreman.opened();
      raw.socket.send(frame);
      expect((await errorIn(raw)).code).toBe("malformed_message");
      const end = await raw.closed;
      expect(end.code).toBe(code);
      expect(end.reason.length).toBeGreaterThan(10);
      expect(recorder.messages).toEqual([]);
      expect((await recorder.ended).byUs).toBe(true);
      expect(recorder.endCount).toBe(1);
      expect(neighbour.isOpen).toBe(true);
    });
  }

  test("that sends more than a frame may hold is closed with 1009", async () => {
    const foreman = await startTestForeman();
    const raw = await openProven(foreman, SUBPROTOCOL_MSGPACK);
    const { recorder } = await foreman.opened();
    raw.socket.send(new Uint8Array(FRAME_BYTES_MAX + 1));
    expect((await raw.closed).code).toBe(1009);
    expect(await recorder.ended).toMatchObject({ code: 1009, byUs: true });
    expect((await foreman.dial()).isOpen).toBe(true);
  });

  test("may send a frame of the full size", async () => {
    const foreman = await startTestForeman();
    const channel = await foreman.dial();
    const { recorder } = await foreman.opened();
    const sha256 = "0".repeat(64);
    const data = new Uint8Array(FRAME_BYTES_MAX - 200);
    channel.send({ type: "blob_chunk", request: 1, sha256, number: 0, data });
    expect(await recorder.next()).toMatchObject({ type: "blob_chunk", request: 1 });
  });

  test("whose message the handler throws at is closed with 1002 and the reason", async () => {
    const foreman = await startTestForeman({
      onChannel: () => ({
        onMessage() {
          throw new Error("the handler has a fault");
        },
        onClose: () => {},
      }),
    });
    const { promise: ended, resolve } = Promise.withResolvers<unknown>();
    const channel = await foreman.dial({ handler: { onMessage: () => {}, onClose: resolve } });
    channel.send({ type: "heartbeat_echo", beat: 1 });
    expect(await ended).toMatchObject({ code: 1002, byUs: false });
  });
});

test("a flood of random frames, small and large, never reaches a handler and never throws", async () => {
  const foreman = await startTestForeman();
  const bytes = new Uint8Array(64);
  for (let round = 0; round < 200; round++) {
    const raw = await openRaw(foreman);
    crypto.getRandomValues(bytes);
    raw.socket.send(bytes.slice(0, round % 64));
    raw.socket.close();
    await raw.closed;
  }
  expect((await foreman.dial()).isOpen).toBe(true);
});

function disagreeingColumns(): Uint8Array {
  return packr.pack({
    type: "submit_tasks",
    request: 1,
    job_id: 1,
    first_index: 0,
    count: 3,
    input: { lengths: 2, data: Buffer.from("no") },
  });
}
