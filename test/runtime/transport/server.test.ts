import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { Packr } from "msgpackr";
import { decodeFrame, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import {
  FRAME_BYTES_MAX,
  FRAME_BYTES_MAX_UNAUTHENTICATED,
} from "../../../src/runtime/protocol/limits.ts";
import {
  type MessageOf,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
} from "../../../src/runtime/protocol/messages.ts";
import { createPeerHandshake } from "../../../src/runtime/transport/handshake.ts";
import { listen } from "../../../src/runtime/transport/server.ts";
import {
  openRaw,
  type RawSocketRecord,
  rejectionOf,
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

async function errorIn(raw: RawSocketRecord): Promise<MessageOf<"error">> {
  const frame = await raw.nextFrame();
  const message = decodeFrame(frame[0] === 0x7b ? frame.toString() : frame);
  if (message.type !== "error") throw new Error(`expected an error, got ${message.type}`);
  return message;
}

/** Sends text over TCP and collects everything until the end. */
function exchange(port: number, text: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => {});
  return { socket, answer: new Promise((resolve) => socket.on("close", () => resolve(received))) };
}

const upgradeText = (headers: Record<string, string>, path = "/ws"): string =>
  [
    `GET ${path} HTTP/1.1`,
    ...Object.entries({
      Host: "127.0.0.1",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol": SUBPROTOCOL_MSGPACK,
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`),
    "\r\n",
  ].join("\r\n");

describe("the port", () => {
  test("carries messages both ways in both sub-protocols", async () => {
    const foreman = await startTestForeman();
    for (const encoding of ["msgpack", "json"] as const) {
      const { promise: echoed, resolve } = Promise.withResolvers<unknown>();
      const channel = await foreman.dial({
        encoding,
        handler: { onMessage: resolve, onClose: () => {} },
      });
      const atForeman = await foreman.opened();
      expect(atForeman.channel.peer).toMatchObject({
        role: "client",
        keyId: foreman.clientKey.keyId,
        owner: "ada",
        scopes: ["view", "submit"],
        address: "127.0.0.1",
      });
      const sent = { type: "cancel_task", assignment: 9, index: Uint32Array.of(1, 5), reason: "ü" };
      channel.send(sent as MessageOf<"cancel_task">);
      expect(await atForeman.recorder.next()).toEqual(sent as MessageOf<"cancel_task">);
      atForeman.channel.send(sent as MessageOf<"cancel_task">);
      expect(await echoed).toEqual(sent);
    }
  });

  test("says to a browser and to curl what it is", async () => {
    const foreman = await startTestForeman();
    const base = `http://127.0.0.1:${foreman.listener.port}`;
    const health = await fetch(`${base}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: "healthy", program: "crowdcompute" });
    const other = await fetch(`${base}/some/path?x=1`);
    expect(other.status).toBe(404);
    expect(await other.text()).toMatch(
      /^This is a CrowdCompute foreman .* nothing at "\/some\/path/,
    );
    expect((await fetch(`${base}/health`, { method: "POST" })).status).toBe(404);
  });

  test("gives further paths to whoever asked for them, after its own checks", async () => {
    const paths: string[] = [];
    const foreman = await startTestForeman({
      onHttp(request, response) {
        paths.push(request.url ?? "");
        if (request.url !== "/api/stats") return false;
        response.end("{}");
        return true;
      },
    });
    const base = `http://127.0.0.1:${foreman.listener.port}`;
    expect(await (await fetch(`${base}/api/stats`)).text()).toBe("{}");
    expect((await fetch(`${base}/health`)).status).toBe(200);
    const evil = await fetch(`${base}/api/stats`, { headers: { origin: "https://evil.example" } });
    expect(evil.status).toBe(403);
    expect(paths).toEqual(["/api/stats", "/health"]);
  });

  test("that is taken is a clear error", async () => {
    const foreman = await startTestForeman();
    const { port } = foreman.listener;
    const thrown = await rejectionOf(startTestForeman({ port }));
    expect(thrown).toMatchObject({ code: "address_in_use", exitCode: 69, retryable: true });
    expect((thrown as Error).message).toContain(`Port ${port} of 127.0.0.1`);
    expect(await rejectionOf(startTestForeman({ host: "192.0.2.1" }))).toMatchObject({
      code: "address_unknown",
      exitCode: 69,
    });
  });

  test("closes every channel with the reason and is free at once", async () => {
    const foreman = await startTestForeman();
    const { promise: ended, resolve } = Promise.withResolvers<unknown>();
    await foreman.dial({ handler: { onMessage: () => {}, onClose: resolve } });
    const { recorder } = await foreman.opened();
    const silent = exchange(foreman.listener.port, "GET");
    await foreman.listener.close("stops for the test");
    expect(await ended).toEqual({ code: 1001, reason: "stops for the test", byUs: false });
    expect(await recorder.ended).toEqual({ code: 1001, reason: "stops for the test", byUs: true });
    await silent.answer;
    const { port } = foreman.listener;
    expect((await startTestForeman({ port })).listener.port).toBe(port);
  });

  test("may stop accepting while its channels live on", async () => {
    const foreman = await startTestForeman();
    const channel = await foreman.dial();
    const { recorder } = await foreman.opened();
    foreman.listener.stopAccepting();
    expect(await rejectionOf(foreman.dial())).toMatchObject({ code: "foreman_unreachable" });
    channel.send({ type: "heartbeat_echo", beat: 1 });
    expect(await recorder.next()).toEqual({ type: "heartbeat_echo", beat: 1 });
  });
});

describe("before the upgrade", () => {
  const cases: [string, Record<string, string>, string, RegExp][] = [
    ["any Origin", { Origin: "https://evil.example" }, "403", /web page.*evil\.example/],
    ["the Origin null", { Origin: "null" }, "403", /web page/],
    ["its own Origin", { Origin: "http://127.0.0.1" }, "403", /web page/],
    ["a foreign Host", { Host: "evil.example:9000" }, "403", /does not answer to the name/],
    ["a Host that only begins like ours", { Host: "127.0.0.1.evil.example" }, "403", /name/],
    ["no sub-protocol", { "Sec-WebSocket-Protocol": "chat" }, "400", /Offer the sub-protocol/],
    [
      "a newer protocol",
      { "Sec-WebSocket-Protocol": "crowdcompute.v2.json" },
      "426",
      /upgrade the foreman/,
    ],
  ];
  for (const [name, headers, status, sentence] of cases) {
    test(`${name} is refused with ${status} and a sentence`, async () => {
      const foreman = await startTestForeman();
      const answer = await exchange(foreman.listener.port, upgradeText(headers)).answer;
      expect(answer).toStartWith(`HTTP/1.1 ${status} `);
      expect(answer).toMatch(sentence);
    });
  }

  test("another path is refused with 404", async () => {
    const foreman = await startTestForeman();
    const { answer } = exchange(foreman.listener.port, upgradeText({}, "/other"));
    expect(await answer).toMatch(/^HTTP\/1\.1 404 [\s\S]*WebSocket connections go to \/ws/);
  });

  test("the names of this machine are accepted", async () => {
    const foreman = await startTestForeman({ hostNames: ["farm.example"] });
    for (const host of ["localhost", "LOCALHOST:9", "127.8.9.1:1", "[::1]:9000", "Farm.Example"]) {
      const raw = await openRaw(foreman, { headers: { Host: host } });
      raw.socket.close();
      await raw.closed;
    }
  });

  test("compression is not agreed to", async () => {
    const foreman = await startTestForeman();
    const extension = { "Sec-WebSocket-Extensions": "permessage-deflate" };
    const { socket } = exchange(foreman.listener.port, upgradeText(extension));
    const [head] = await new Promise<string[]>((resolve) =>
      socket.once("data", (chunk) => resolve([String(chunk)])),
    );
    socket.destroy();
    expect(head).toStartWith("HTTP/1.1 101");
    expect(head).not.toMatch(/extensions/i);
  });

  test("garbage and half requests harm nobody", async () => {
    const foreman = await startTestForeman({ authenticationDeadlineMs: 50 });
    const texts = ["\u0016\u0003\u0001garbage\r\n\r\n", "GET / HTTP/1.1\r\nHost: 127", "\r\n\r\n"];
    await Promise.all(texts.map((text) => exchange(foreman.listener.port, text).answer));
    expect((await foreman.dial()).isOpen).toBe(true);
  });
});

describe("a stranger", () => {
  test("that upgrades and stays silent is cut at the deadline", async () => {
    const foreman = await startTestForeman({ authenticationDeadlineMs: 30 });
    const raw = await openRaw(foreman);
    expect(await raw.closed).toEqual({ code: 1008, reason: "did not authenticate in time" });
  });

  test("that begins the handshake and stops is cut as well", async () => {
    const foreman = await startTestForeman({ authenticationDeadlineMs: 30 });
    const raw = await openRaw(foreman);
    const { hello } = createPeerHandshake({ key: foreman.clientKey, role: "client", target: "t" });
    raw.socket.send(encodeFrame(hello, "msgpack"));
    expect((await raw.closed).code).toBe(1008);
  });

  test("that has proved its key is not", async () => {
    const foreman = await startTestForeman({ authenticationDeadlineMs: 30 });
    const channel = await foreman.dial();
    const silent = await openRaw(foreman);
    await silent.closed;
    expect(channel.isOpen).toBe(true);
  });

  test("gets no more than small frames read", async () => {
    const foreman = await startTestForeman();
    const raw = await openRaw(foreman);
    raw.socket.send(new Uint8Array(FRAME_BYTES_MAX_UNAUTHENTICATED + 1));
    expect((await errorIn(raw)).code).toBe("frame_too_large");
    expect(await raw.closed).toMatchObject({ code: 1009 });
  });

  test("is refused when it speaks out of turn", async () => {
    const foreman = await startTestForeman();
    const raw = await openRaw(foreman);
    raw.socket.send(encodeFrame({ type: "shutdown", request: 1, force: true }, "msgpack"));
    expect((await errorIn(raw)).message).toContain("expected hello, got shutdown");
    expect(await raw.closed).toMatchObject({ code: 1008 });
  });

  test("beyond the limit pushes out the oldest, so that an honest peer still gets in", async () => {
    const foreman = await startTestForeman({ unauthenticatedPerAddressMax: 3 });
    const silent = [await openRaw(foreman), await openRaw(foreman), await openRaw(foreman)];
    const channel = await foreman.dial();
    expect(await silent[0]?.closed).toMatchObject({ code: 1008 });
    expect(channel.isOpen).toBe(true);
    expect(silent.map(({ socket }) => socket.readyState)).toEqual([3, 1, 1]);
    const flood = await Promise.allSettled(Array.from({ length: 50 }, () => openRaw(foreman)));
    expect(flood.length).toBe(50);
    expect((await foreman.dial()).isOpen).toBe(true);
  });
});

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

test("listening twice on port 0 takes two ports", async () => {
  const [first, second] = [await startTestForeman(), await startTestForeman()];
  expect(first.listener.port).not.toBe(second.listener.port);
  expect(first.listener.address).toBe(`127.0.0.1:${first.listener.port}`);
  expect(typeof listen).toBe("function");
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
