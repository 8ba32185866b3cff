/**
 * Bad conditions: no foreman, a foreman that goes, one that refuses the key, one that is older, one that does
 * not answer, a place that is not there. Each is said in words with what to do; nothing looks live that is not.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocketServer } from "ws";
import { decodeFrame, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { versionMismatch } from "../../../src/runtime/transport/handshake-errors.ts";
import { createKey, formatKey } from "../../../src/runtime/transport/keys.ts";
import { BINARY } from "../../support/binary.ts";
import { startFakeForeman } from "../../support/monitor/fake-foreman.ts";
import { openTerminal, type TestTerminal } from "../../support/terminal/terminal.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { isLive, keysDone } from "./support/walk.ts";

let stage: TopStage;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterEach(async () => {
  stage.foreman.release();
  await stage.closeTerminals();
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => stage?.close());

function openAt(url: string, keyFile: string | null = null): TestTerminal {
  const key = keyFile === null ? [] : ["--key-file", keyFile];
  const terminal = openTerminal({
    command: [BINARY, "top", "--foreman", url, ...key],
    cwd: stage.world.folder,
    env: stage.world.env,
  });
  closing.push(() => terminal.close());
  return terminal;
}

function writeClientKey(): string {
  const path = join(stage.world.folder, "some.key");
  writeFileSync(path, `${formatKey(createKey("client"))}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

describe("without a foreman", () => {
  test("it keeps trying, says where and what to check, and goes live by itself", async () => {
    await stage.foreman.goAway();
    const terminal = stage.open();
    await terminal.waitFor(/cc foreman/);
    expect(terminal.screen()).toContain(stage.foreman.url.replace("ws://", ""));
    expect(terminal.screen()).toMatch(/try 2|attempt 2/i);
    expect(terminal.screen()).not.toContain("LIVE");
    await stage.foreman.comeBack();
    await terminal.waitFor(/LIVE[\s\S]*render-frames/);
  });

  test("a picture that was live stays, dimmed, and is live again without a key", async () => {
    const terminal = await stage.openLive();
    await stage.foreman.goAway();
    await terminal.waitFor(/RECONNECTING/);
    expect(terminal.screen()).toContain("render-frames");
    expect(terminal.screen()).not.toContain("LIVE");
    const row = terminal
      .screen()
      .split("\n")
      .findIndex((text) => text.includes("render-frames"));
    const shown = terminal.cells()[row]?.filter(({ text }) => text.trim() !== "") ?? [];
    expect(shown.every(({ dim }) => dim)).toBe(true);
    // Its keys go on: one may look around in what was last known.
    terminal.keys("j");
    await keysDone(terminal);
    await stage.foreman.comeBack();
    await terminal.waitFor(/LIVE/);
  });

  test("data that does not come shows its age, and an answer that does not come is missed", async () => {
    const terminal = await stage.openLive();
    stage.foreman.hold();
    await terminal.waitFor(/DATA [3-9]s OLD/);
    expect(terminal.row(0)).not.toContain("LIVE");
    terminal.keys("Enter");
    await terminal.waitFor(/NO ANSWER [3-9]s[\s\S]*Waiting for job/);
    expect(terminal.row(0)).not.toContain("LIVE");
    stage.foreman.release();
    await terminal.waitFor(isLive);
  });
});

describe("a foreman that will not talk", () => {
  test("does not know the key: a sentence says so, and what to give", async () => {
    const terminal = openAt(stage.foreman.url, writeClientKey());
    await terminal.waitFor(/--key-file/);
    expect(terminal.screen()).toMatch(/could not prove|does not accept/);
    terminal.keys("q");
    await terminal.end();
  });

  test("a worker's key may not look, and which file may is named", async () => {
    const foreman = await startFakeForeman({ role: "worker", scopes: ["work"] });
    closing.push(foreman.close);
    const terminal = openAt(foreman.url, foreman.writeKey(join(stage.world.folder, "worker")));
    await terminal.waitFor(/worker key/);
    expect(terminal.screen()).toContain("local-admin.key");
    terminal.keys("q");
    await terminal.end();
  });

  test("is older: both versions and which to upgrade", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    closing.push(() => server.close());
    server.on("connection", (socket) => {
      socket.on("message", (frame) => {
        const hello = decodeFrame(frame as Buffer);
        if (hello.type !== "hello") return;
        const peer = { protocolVersion: hello.version, programVersion: hello.program_version };
        const ours = { protocolVersion: 0, programVersion: "0.0.9" };
        const { code, message, hint, retryable } = versionMismatch(peer, "foreman", ours).toView();
        const error = {
          type: "error",
          code,
          message,
          retryable,
          ...(hint ? { hint } : {}),
        } as const;
        socket.send(encodeFrame(error, "msgpack"));
        socket.close(1008, "version");
      });
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const terminal = openAt(`ws://127.0.0.1:${port}`, writeClientKey());
    await terminal.waitFor(/0\.0\.9/);
    expect(terminal.screen()).toContain("Upgrade the foreman");
    terminal.keys("q");
    await terminal.end();
  });

  test("nobody listens at an address that was named", async () => {
    const url = `ws://127.0.0.1:${freePort()}`;
    const terminal = openAt(url, writeClientKey());
    await terminal.waitFor(new RegExp(url.replace("ws://", "")));
    await terminal.waitFor(/try 2|attempt 2/i);
    terminal.keys("q");
    await terminal.end();
  });
});

describe("a place that is not there", () => {
  for (const [place, sentence] of [
    ["99", /no job 99/],
    ["17/5", /no task 17\/5/],
    ["nobody", /no worker "?nobody/],
  ] as const) {
    test(`cc top ${place}`, async () => {
      const terminal = stage.open({ args: [place] });
      await terminal.waitFor(sentence);
      terminal.keys("Esc");
      await terminal.waitFor(/render-frames/);
    });
  }
});
