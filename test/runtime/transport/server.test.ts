import { afterEach, describe, expect, test } from "bun:test";
import type { MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { exchange, rejectionOf, startTestForeman, stopTestForemen } from "./rig.ts";

afterEach(stopTestForemen);

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
