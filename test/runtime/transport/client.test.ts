import { afterEach, describe, expect, test } from "bun:test";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { WebSocketServer } from "ws";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { type DialOptions, dial } from "../../../src/runtime/transport/client.ts";
import { faultOfConnection } from "../../../src/runtime/transport/dial-faults.ts";
import { parseForemanAddress } from "../../../src/runtime/transport/foreman-address.ts";
import { createKey } from "../../../src/runtime/transport/keys.ts";
import { createRecorder, rejectionOf, startTestForeman, stopTestForemen } from "./rig.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all([stopTestForemen(), ...closers.splice(0).map((close) => close())]);
});

/** Listens on a free port until the test has ended. */
async function serve(server: Server): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What dialling a stranger's port ends with. */
const refusalAt = (url: string, options: Partial<DialOptions> = {}): Promise<unknown> =>
  rejectionOf(
    dial({ url, key: createKey("client"), role: "client", handler: createRecorder(), ...options }),
  );

describe("a dialled channel", () => {
  test("knows what the foreman said at welcome", async () => {
    const foreman = await startTestForeman();
    const channel = await foreman.dial();
    expect(channel.welcome).toMatchObject({
      foremanId: "foreman-1",
      epoch: 7,
      owner: "ada",
      heartbeatMs: 3_000,
      leaseMs: 15_000,
    });
    expect(channel.peer).toMatchObject({
      role: "foreman",
      address: expect.stringMatching(/:\d+$/),
    });
  });

  test("hands its first messages to a handler that already knows it", async () => {
    const foreman = await startTestForeman({
      onChannel(channel) {
        for (let beat = 0; beat < 3; beat++) channel.send({ type: "heartbeat_echo", beat });
        return createRecorder();
      },
    });
    const heard: unknown[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    await foreman.dial({
      handler: (channel) => ({
        onMessage(message) {
          heard.push([message, channel.isOpen]);
          if (heard.length === 3) resolve();
        },
        onClose: () => {},
      }),
    });
    await all;
    expect(heard).toEqual([0, 1, 2].map((beat) => [{ type: "heartbeat_echo", beat }, true]));
  });

  test("ends once for each side, with code and reason, and is silent afterwards", async () => {
    const foreman = await startTestForeman();
    const recorder = createRecorder();
    const channel = await foreman.dial({ handler: recorder });
    const atForeman = await foreman.opened();
    channel.send({ type: "heartbeat_echo", beat: 1 });
    channel.close(1000, "done");
    channel.close(1002, "again");
    channel.send({ type: "heartbeat_echo", beat: 2 });
    expect(channel.isOpen).toBe(false);
    expect(await recorder.ended).toEqual({ code: 1000, reason: "done", byUs: true });
    expect(await atForeman.recorder.ended).toEqual({ code: 1000, reason: "done", byUs: false });
    expect(atForeman.recorder.messages).toEqual([{ type: "heartbeat_echo", beat: 1 }]);
    atForeman.channel.send({ type: "heartbeat_echo", beat: 3 });
    await atForeman.channel.drained();
    expect([recorder.endCount, atForeman.recorder.endCount, recorder.messages]).toEqual([1, 1, []]);
  });

  test("cuts a long reason at a character", async () => {
    const foreman = await startTestForeman();
    const recorder = createRecorder();
    await foreman.dial({ handler: recorder });
    (await foreman.opened()).channel.close(1008, "ü".repeat(100));
    const { reason } = await recorder.ended;
    expect(reason).toBe(`${"ü".repeat(60)}…`);
  });
});

describe("a dial fails", () => {
  test("at once and retryably when nobody listens", async () => {
    const url = await serve(createServer());
    await Promise.all(closers.splice(0).map((close) => close()));
    expect(await refusalAt(url)).toMatchObject({
      code: "foreman_unreachable",
      message: `No foreman answers at ${url}: nothing listens there.`,
      retryable: true,
      exitCode: 3,
    });
  });

  test("when the name is not known", async () => {
    expect(await refusalAt("no-such-host.invalid:9000")).toMatchObject({
      code: "foreman_unreachable",
      exitCode: 3,
    });
  });

  test("retryably whatever the system says of a connection that did not come about", () => {
    for (const code of ["EINVAL", "ENETDOWN", "EADDRNOTAVAIL", "EPERM"]) {
      const fault = Object.assign(new Error(`connect ${code}`), { code });
      expect(faultOfConnection("10.0.0.1:9000", fault)).toMatchObject({
        code: "foreman_unreachable",
        message: `No foreman answers at 10.0.0.1:9000: it cannot be reached (${code}).`,
        retryable: true,
      });
    }
  });

  test("with the truth when another HTTP server listens", async () => {
    const plain = await serve(createHttpServer((_request, response) => response.end("hello")));
    expect(await refusalAt(plain)).toMatchObject({
      code: "not_a_foreman",
      exitCode: 3,
      retryable: false,
      hint: expect.stringContaining("--local"),
    });
    const busy = createHttpServer((_request, response) => response.writeHead(502).end());
    busy.on("upgrade", (_request, socket) =>
      socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    );
    expect(await refusalAt(await serve(busy))).toMatchObject({
      code: "foreman_unreachable",
      retryable: true,
    });
  });

  test("with the truth when something else than HTTP listens", async () => {
    const ssh = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
    expect(await refusalAt(await serve(ssh))).toMatchObject({ code: "not_a_foreman" });
    const rude = createServer((socket) => socket.once("data", () => socket.destroy()));
    expect(await refusalAt(await serve(rude))).toMatchObject({ code: "foreman_unreachable" });
  });

  test("with the truth when another WebSocket server listens", async () => {
    const http = createHttpServer();
    const others = new WebSocketServer({ server: http, handleProtocols: () => false });
    others.on("error", () => {});
    expect(await refusalAt(await serve(http))).toMatchObject({ code: "not_a_foreman" });
  });

  test("after its deadline when the other side says nothing", async () => {
    const clock = createManualClock();
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    const mute = createServer((socket) => void socket.once("data", () => resolve()));
    const refused = refusalAt(await serve(mute), { clock, connectTimeoutMs: 2_000 });
    await connected;
    clock.advance(2_000);
    expect(await refused).toMatchObject({
      code: "foreman_unreachable",
      message: expect.stringContaining("no answer within 2 s"),
    });
    expect(clock.pendingTimerCount).toBe(0);
  });

  test("with the signal's reason when it is aborted, before and while it connects", async () => {
    const reason = new Error("changed my mind");
    expect(await refusalAt("127.0.0.1:1", { signal: AbortSignal.abort(reason) })).toBe(reason);
    const abort = new AbortController();
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    const mute = createServer((socket) => void socket.once("data", () => resolve()));
    const refused = refusalAt(await serve(mute), { signal: abort.signal });
    await connected;
    abort.abort(reason);
    expect(await refused).toBe(reason);
  });

  test("for good with a key of another foreman, and nothing is revealed", async () => {
    const foreman = await startTestForeman();
    const thrown = await rejectionOf(foreman.dial({ key: createKey("client") }));
    expect(thrown).toMatchObject({ code: "foreman_mismatch", exitCode: 3, retryable: false });
  });

  test("for good with a key of another role", async () => {
    const foreman = await startTestForeman();
    const thrown = await rejectionOf(foreman.dial({ role: "worker" }));
    expect(thrown).toMatchObject({ code: "wrong_role", exitCode: 3, retryable: false });
  });

  test("for good at an imposter that speaks the protocol and echoes", async () => {
    const http = createHttpServer();
    const imposter = new WebSocketServer({
      server: http,
      handleProtocols: ([first]) => first ?? false,
    });
    const heard: number[] = [];
    imposter.on("connection", (socket) =>
      socket.on("message", (frame: Buffer) => {
        heard.push(frame.length);
        const mac = new Uint8Array(32);
        const nonce = new Uint8Array(32);
        socket.send(
          encodeFrame({ type: "challenge", nonce, foreman_id: "x", epoch: 1, mac }, "msgpack"),
        );
      }),
    );
    expect(await refusalAt(await serve(http))).toMatchObject({ code: "foreman_mismatch" });
    expect(heard).toHaveLength(1);
  });

  test("in words when the foreman refuses in HTTP", async () => {
    const foreman = await startTestForeman();
    const thrown = await rejectionOf(foreman.dial({ url: `${foreman.listener.url}/elsewhere` }));
    expect(thrown).toMatchObject({ code: "refused", exitCode: 3, retryable: false });
    expect((thrown as Error).message).toContain("WebSocket connections go to /ws");
  });
});

describe("a foreman's address", () => {
  test("may be written in several ways", () => {
    const forms = [
      "host",
      "host:9000",
      "ws://host:9000",
      "ws://host",
      "http://host:9000/",
      " host ",
    ];
    for (const text of forms) {
      expect(parseForemanAddress(text)).toEqual({ url: "ws://host:9000/ws", target: "host:9000" });
    }
    expect(parseForemanAddress("[::1]:70").url).toBe("ws://[::1]:70/ws");
    expect(parseForemanAddress("http://host:80").target).toBe("host:80");
    expect(parseForemanAddress("host:80").target).toBe("host:80");
    expect(parseForemanAddress("ws://host:1/tunnel").url).toBe("ws://host:1/tunnel");
  });

  test("that is none is refused with exit 2 and an example", () => {
    for (const text of [
      "",
      "ftp://host",
      "host:port",
      "host:99999",
      "ws://user:pw@host",
      "wss://h",
    ]) {
      let thrown: unknown;
      try {
        parseForemanAddress(text);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({
        code: "bad_address",
        exitCode: 2,
        hint: expect.stringContaining("ws://HOST:PORT"),
      });
    }
  });
});
