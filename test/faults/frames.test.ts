/** Frames that are too large, never end, make no sense, or unpack into gigabytes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FRAME_BYTES_MAX } from "../../src/runtime/protocol/limits.ts";
import { type Attacked, openAttacked } from "./hostile/attacked.ts";
import { openRaw, type RawPeer } from "./hostile/raw-peer.ts";
import { wireFrame } from "./hostile/wire-frame.ts";
import { within } from "./support/cluster.ts";
import { count, SETUP_MS, TEST_MS } from "./support/long.ts";

let attacked: Attacked;
beforeAll(async () => {
  attacked = await openAttacked();
}, SETUP_MS);
afterAll(() => attacked.close());

const MEBIBYTE = 2 ** 20;

/** Writes pieces until the foreman closes, or `piecesMax` are out. */
async function pour(peer: RawPeer, piece: Uint8Array, piecesMax: number): Promise<void> {
  let onRoom = Promise.withResolvers<void>();
  const wake = (): void => onRoom.resolve();
  peer.socket.on("drain", wake).on("close", wake);
  for (let pieces = 0; pieces < piecesMax && peer.isOpen; pieces++) {
    onRoom = Promise.withResolvers();
    if (!peer.socket.write(piece) && peer.isOpen) await onRoom.promise;
  }
}

const closedOf = (peer: RawPeer) => within("the foreman closes", peer.closed);

/** 1006 is a connection that was cut without a word; the reason is in the foreman's log then. */
async function expectTooLarge(peer: RawPeer): Promise<void> {
  const { code } = await closedOf(peer);
  expect([1006, 1009]).toContain(code);
}

describe("a proven peer", () => {
  const peers = () => Promise.all([attacked.proven("client"), attacked.proven("worker")]);

  test(
    "whose header claims a terabyte is closed at the header",
    async () => {
      await attacked.besideHonest("headers of 1 TB", async () => {
        for (const claimedBytes of [
          2n ** 40n,
          2n ** 62n,
          2n ** 63n,
          BigInt(FRAME_BYTES_MAX) + 1n,
        ]) {
          for (const peer of await peers()) {
            peer.write(wireFrame(new Uint8Array(100), { opcode: 2, claimedBytes }));
            await expectTooLarge(peer);
          }
        }
      });
    },
    TEST_MS,
  );

  test(
    "that sends a frame beyond the limit is closed, and no more of it is kept",
    async () => {
      await attacked.besideHonest("frames of 17 MiB", async () => {
        for (const peer of await peers()) {
          peer.write(wireFrame(new Uint8Array(17 * MEBIBYTE), { opcode: 2 }));
          await expectTooLarge(peer);
        }
      });
    },
    TEST_MS,
  );

  test(
    "whose fragments never end is closed at the limit of a frame",
    async () => {
      await attacked.besideHonest("endless fragments", async () => {
        for (const peer of await peers()) {
          peer.write(wireFrame(new Uint8Array(0), { opcode: 2, isFinal: false }));
          const piece = wireFrame(new Uint8Array(64 * 1024), { opcode: 0, isFinal: false });
          await pour(peer, piece, 3_200);
          await expectTooLarge(peer);
        }
      });
    },
    TEST_MS,
  );

  test(
    "whose fragments are empty costs no memory, however many there are",
    async () => {
      await attacked.besideHonest("empty fragments", async () => {
        const peer = await attacked.proven("client");
        peer.write(wireFrame(new Uint8Array(0), { opcode: 2, isFinal: false }));
        const empty = wireFrame(new Uint8Array(0), { opcode: 0, isFinal: false });
        const piece = Buffer.concat(Array.from({ length: 10_000 }, () => empty));
        await pour(peer, piece, count(100, 1_000));
        peer.end();
        await closedOf(peer);
      });
    },
    TEST_MS,
  );

  test(
    "that floods with pings and with frames that say nothing is served no faster than it reads",
    async () => {
      await attacked.besideHonest("a flood of pings", async () => {
        const peer = await attacked.proven("client");
        const ping = wireFrame(new Uint8Array(125), { opcode: 9 });
        await pour(peer, Buffer.concat(Array.from({ length: 500 }, () => ping)), count(300, 3_000));
        peer.end();
      });
    },
    TEST_MS,
  );
});

describe("a stranger", () => {
  test(
    "gets four kilobytes, however it sends them",
    async () => {
      await attacked.besideHonest("frames of strangers", async () => {
        const { url } = attacked.cluster;
        for (const claimedBytes of [2n ** 40n, BigInt(FRAME_BYTES_MAX)]) {
          const peer = await openRaw(url);
          peer.write(wireFrame(new Uint8Array(10), { opcode: 2, claimedBytes }));
          await pour(peer, new Uint8Array(8 * 1024), 1_000);
          await closedOf(peer);
        }
        const fragments = await openRaw(url);
        fragments.write(wireFrame(new Uint8Array(0), { opcode: 2, isFinal: false }));
        await pour(
          fragments,
          wireFrame(new Uint8Array(100), { opcode: 0, isFinal: false }),
          100_000,
        );
        await expectTooLarge(fragments);
      });
    },
    TEST_MS,
  );
});

describe("nonsense", () => {
  const deep = `{"type":"submit_job","request":1,"spec":${"[".repeat(500_000)}`;
  const frames: readonly (readonly [string, "json" | "msgpack", Uint8Array, number])[] = [
    ["broken JSON", "json", Buffer.from('{"type":'), 1007],
    ["JSON of 500,000 levels", "json", Buffer.from(deep), 1007],
    ["a field of another type", "json", Buffer.from('{"type":"get_job","request":"x"}'), 1007],
    ["a field that is missing", "json", Buffer.from('{"type":"get_job","request":1}'), 1007],
    ["no object", "json", Buffer.from("[]"), 1007],
    ["prototype keys", "json", Buffer.from('{"__proto__":{"type":"shutdown"},"request":1}'), 1007],
    ["MessagePack of a million levels", "msgpack", new Uint8Array(1e6).fill(0x91), 1007],
    ["bytes that mean nothing", "msgpack", new Uint8Array(5_000).fill(0xc1), 1007],
    [
      "an inventory of a million",
      "json",
      Buffer.from(`{"type":"worker_ready","inventory":[${"{},".repeat(1e6)}{}]}`),
      1007,
    ],
  ];
  for (const role of ["client", "worker"] as const) {
    test(
      `of a ${role} closes its connection with the reason, and no other`,
      async () => {
        const bounds = { mebibytesMax: 256 };
        await attacked.besideHonest(
          `nonsense of a ${role}`,
          async () => {
            for (const [name, encoding, bytes, closeCode] of frames) {
              const peer = await attacked.proven(role, { encoding });
              peer.sendFrame(bytes);
              expect({ name, code: (await peer.nextOf("error")).code }).toEqual({
                name,
                code: "malformed_message",
              });
              expect((await closedOf(peer)).code).toBe(closeCode);
            }
          },
          bounds,
        );
      },
      TEST_MS,
    );
  }

  test(
    "in a text that is not UTF-8 closes its connection below the messages",
    async () => {
      await attacked.besideHonest("bad UTF-8", async () => {
        const peer = await attacked.proven("client", { encoding: "json" });
        peer.sendFrame(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
        expect((await closedOf(peer)).code).toBe(1007);
      });
    },
    TEST_MS,
  );

  test(
    "that only a newer peer could mean is answered, and the connection goes on",
    async () => {
      await attacked.besideHonest("unknown verbs", async () => {
        const peer = await attacked.proven("client", { encoding: "json" });
        peer.sendFrame(Buffer.from('{"type":"dance","request":7}'));
        expect(await peer.nextOf("error")).toMatchObject({ code: "unknown_message", request: 7 });
        peer.send({ type: "get_job", request: 8, job_id: 1 });
        expect((await peer.nextOf("job_status")).request).toBe(8);
        peer.end();
      });
    },
    TEST_MS,
  );

  test(
    "below the messages (unmasked, reserved bits, unknown opcodes) ends the connection",
    async () => {
      await attacked.besideHonest("broken WebSocket", async () => {
        const bad = [
          wireFrame(Buffer.from([0x80]), { opcode: 2, isMasked: false }),
          wireFrame(Buffer.from([0x80]), { opcode: 2 | 0x40 }),
          wireFrame(Buffer.from([0x80]), { opcode: 3 }),
          wireFrame(new Uint8Array(126), { opcode: 9 }),
          wireFrame(Buffer.from([0x80]), { opcode: 0 }),
          wireFrame(Buffer.from([3]), { opcode: 8 }),
        ];
        for (const frame of bad) {
          const peer = await attacked.proven("client");
          peer.write(frame);
          await closedOf(peer);
        }
      });
    },
    TEST_MS,
  );
});

test(
  "compression is not negotiated, so there is no bomb to unpack",
  async () => {
    await attacked.besideHonest("deflate", async () => {
      const headers = [
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame",
      ];
      const peer = await attacked.proven("client", { headers });
      expect(peer.response).toContain(" 101 ");
      expect(peer.response).not.toMatch(/sec-websocket-extensions/i);
      // A compressed frame all the same: the reserved bit says so.
      peer.write(wireFrame(Bun.deflateSync(new Uint8Array(60 * MEBIBYTE)), { opcode: 2 | 0x40 }));
      await closedOf(peer);
    });
  },
  TEST_MS,
);
