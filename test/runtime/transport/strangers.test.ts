import { afterEach, describe, expect, test } from "bun:test";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { FRAME_BYTES_MAX_UNAUTHENTICATED } from "../../../src/runtime/protocol/limits.ts";
import { createPeerHandshake } from "../../../src/runtime/transport/handshake.ts";
import {
  announceHugeFrame,
  errorIn,
  exchange,
  openRaw,
  startTestForeman,
  stopTestForemen,
  upgradeText,
} from "./rig.ts";

afterEach(stopTestForemen);

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

  test("that announces a huge frame is cut after a few kilobytes of it", async () => {
    const clock = createManualClock();
    const foreman = await startTestForeman({ clock });
    const { closeFrame, answer } = await announceHugeFrame(foreman);
    expect(closeFrame[0]).toBe(0x88);
    expect(closeFrame.readUInt16BE(2)).toBe(1009);
    expect(closeFrame.subarray(4).toString()).toBe("over 16384 bytes before authentication");
    clock.advance(2_000);
    await answer;
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
