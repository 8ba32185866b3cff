import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { FRAME_BYTES_MAX_UNAUTHENTICATED } from "../../../src/runtime/protocol/limits.ts";
import { type MessageOf, PROTOCOL_VERSION } from "../../../src/runtime/protocol/messages.ts";
import { createPeerHandshake } from "../../../src/runtime/transport/handshake.ts";
import { writeKeyFile } from "../../../src/runtime/transport/key-files.ts";
import { createKey, type Key, type KeyRole } from "../../../src/runtime/transport/keys.ts";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";
import {
  type BarePeer,
  besideHonestJob,
  connectBare,
  type LocalKeys,
  readLocalKeys,
} from "./bare-peer.ts";

let served: ServedWorld;
let keys: LocalKeys;
beforeAll(async () => {
  served = await createServedWorld(2);
  keys = readLocalKeys(served);
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

let fileCount = 0;
/** A private file with this key; returns its path. */
function fileOf(key: Key): string {
  const path = join(served.world.folder, `strange-${fileCount++}.key`);
  writeKeyFile(path, key);
  return path;
}

const jobsWith = (keyFile: string) => served.cc(["jobs", "--key-file", keyFile]);
const workerWith = (keyFile: string) =>
  served.cc(["worker", "--id", "hostile", "--slots", "1", "--key-file", keyFile]);

describe("a key that is not this foreman's", () => {
  test(
    "is refused: an unknown one, and a known id with another secret, read the same",
    () =>
      besideHonestJob(served, async () => {
        const forged = createKey("client");
        for (const key of [forged, { ...forged, keyId: keys.client.keyId }]) {
          const run = await jobsWith(fileOf(key));
          expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({
            exitCode: 3,
            stdout: "",
          });
          expect(run.stderr).toContain(
            `could not prove that it knows the key "${key.keyId}": it is another foreman than the key's`,
          );
        }
        const worker = await workerWith(fileOf(createKey("worker")));
        expect(worker.exitCode).toBe(77);
        expect(worker.stderr).toMatch(/could not prove that it knows the key/);
      }),
    LONG,
  );

  test(
    "is refused by the foreman, too, when the peer does not care for its proof",
    () =>
      besideHonestJob(served, async () => {
        for (const keyId of ["nobody", keys.client.keyId]) {
          const peer = await connectBare(served.url);
          peer.send(helloOf({ ...createKey("client"), keyId }, "client"));
          expect((await peer.next()).type).toBe("challenge");
          peer.send({ type: "authenticate", mac: new Uint8Array(32) });
          await expectRefusal(
            peer,
            "wrong_key",
            `The foreman does not accept the key "${keyId}": it does not know it, or the proof was wrong.`,
          );
        }
        await served.foreman.untilStderr(/"event":"peer is refused"[^\n]*"code":"wrong_key"/);
      }),
    LONG,
  );
});

test(
  "a key of the other role is refused with the role that is needed",
  () =>
    besideHonestJob(served, async () => {
      const client = await jobsWith(keys.workerPath);
      expect(client.exitCode).toBe(3);
      expect(client.stderr).toContain("is a worker key and was used by a client.");
      const worker = await workerWith(keys.clientPath);
      expect(worker.exitCode).toBe(77);
      expect(worker.stderr).toContain("is a client key and was used by a worker.");
    }),
  LONG,
);

describe("another version of the protocol", () => {
  test(
    "is refused with both versions and which to upgrade",
    () =>
      besideHonestJob(served, async () => {
        for (const [version, behind] of [
          [PROTOCOL_VERSION + 1, "foreman"],
          [PROTOCOL_VERSION - 1, "client or worker"],
        ] as const) {
          const peer = await connectBare(served.url);
          peer.send({ ...helloOf(keys.client, "client"), version, program_version: "9.9.9" });
          const error = await peer.nextOf("error");
          expect(error.code).toBe("version_mismatch");
          expect(error.message).toContain(`crowdcompute 9.9.9 (protocol ${version})`);
          expect(error.message).toContain(`(protocol ${PROTOCOL_VERSION})`);
          expect(error.hint).toBe(`Upgrade the ${behind}.`);
          expect((await peer.closed).code).toBe(1008);
        }
      }),
    LONG,
  );
});

describe("what is no handshake", () => {
  const garbage: [string, (peer: BarePeer) => void, string, number][] = [
    [
      "bytes that mean nothing",
      (peer) => peer.sendFrame(Buffer.alloc(99, 0xc1)),
      "malformed_message",
      1007,
    ],
    ["a text", (peer) => peer.sendFrame("hello"), "malformed_message", 1003],
    [
      "a hello without its fields",
      (peer) =>
        peer.sendFrame(
          Buffer.from([0x81, 0xa4, ...Buffer.from("type"), 0xa5, ...Buffer.from("hello")]),
        ),
      "malformed_message",
      1007,
    ],
    [
      "a nonce of one byte",
      (peer) => peer.send({ ...helloOf(keys.client, "client"), nonce: Uint8Array.of(1) }),
      "malformed_message",
      1008,
    ],
    [
      "work before the handshake",
      (peer) => peer.send({ type: "shutdown", request: 1, force: true }),
      "malformed_message",
      1008,
    ],
    [
      "a frame beyond the limit of strangers",
      (peer) => {
        const target = "x".repeat(FRAME_BYTES_MAX_UNAUTHENTICATED);
        peer.sendFrame(encodeFrame({ ...helloOf(keys.client, "client"), target }, "msgpack"));
      },
      "frame_too_large",
      1009,
    ],
  ];
  for (const [name, send, code, closeCode] of garbage) {
    test(
      `is refused with a reason: ${name}`,
      () =>
        besideHonestJob(served, async () => {
          const peer = await connectBare(served.url);
          send(peer);
          expect((await peer.nextOf("error")).code).toBe(code);
          expect((await peer.closed).code).toBe(closeCode);
        }),
      LONG,
    );
  }

  test(
    "is refused by a sentence over HTTP: a web page, a foreign name, another sub-protocol",
    () =>
      besideHonestJob(served, async () => {
        const statusOf = async (headers: Record<string, string>) => {
          const upgrade = { Connection: "Upgrade", Upgrade: "websocket" };
          const handshake = {
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "crowdcompute.v1.msgpack",
          };
          const answer = await fetch(`${served.url.replace("ws:", "http:")}/ws`, {
            headers: { ...upgrade, ...handshake, ...headers },
          });
          return `${answer.status} ${(await answer.text()).trim()}`;
        };
        expect(await statusOf({ Origin: "https://evil.example" })).toMatch(/^403 .*web page/);
        expect(await statusOf({ Host: "evil.example" })).toMatch(/^403 .*evil\.example/);
        expect(await statusOf({ "Sec-WebSocket-Protocol": "crowdcompute.v2.json" })).toMatch(
          /^426 .*upgrade the foreman/i,
        );
      }),
    LONG,
  );
});

test(
  "a hundred silent connections do not keep an honest peer out",
  () =>
    besideHonestJob(served, async () => {
      const silent = await Promise.all(Array.from({ length: 120 }, () => connectBare(served.url)));
      expect((await served.cc(["jobs", "-q"])).exitCode).toBe(0);
      for (const peer of silent) peer.close();
    }),
  LONG,
);

function helloOf(key: Key, role: KeyRole): MessageOf<"hello"> {
  return createPeerHandshake({ key, role, target: new URL(served.url).host }).hello;
}

async function expectRefusal(peer: BarePeer, code: string, message: string): Promise<void> {
  const error = await peer.nextOf("error");
  expect({ code: error.code, message: error.message }).toEqual({ code, message });
  expect((await peer.closed).code).toBe(1008);
}
