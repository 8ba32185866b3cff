import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { createLink, type Link } from "../../../src/runtime/client/link.ts";
import { readWholeOutput, storedOutputsOf } from "../../../src/runtime/client/read-output.ts";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import { OUTPUT_CHUNK_BYTES, OUTPUT_TEXT_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import { createScriptedForeman, type ScriptedForeman } from "./scripted-foreman.ts";

const PRINTED = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251));
const STORED = {
  byteCount: PRINTED.length,
  assignment: 5,
  sha256: createHash("sha256").update(PRINTED).digest("hex"),
};

/** Answers from `kept`, at most `pieceMax` at a time; `beforeAnswer` sees how many were asked for. */
function foremanWith(
  kept: Uint8Array,
  beforeAnswer: (asked: number, foreman: ScriptedForeman) => boolean = () => true,
  pieceMax = OUTPUT_CHUNK_BYTES,
): ScriptedForeman {
  let asked = 0;
  const foreman = createScriptedForeman((message, channel) => {
    if (message.type !== "read_output" || !beforeAnswer(++asked, foreman)) return;
    const { request, job_id, index, first_byte } = message;
    const data = kept.subarray(first_byte, first_byte + Math.min(message.bytes_max, pieceMax));
    const total_bytes = kept.byteLength;
    channel.send({ type: "output", request, job_id, index, first_byte, data, total_bytes });
  });
  return foreman;
}

async function linkTo(foreman: ScriptedForeman): Promise<Link> {
  return createLink({
    connection: await foreman.connect(),
    redial: foreman.connect,
    clock: systemClock,
    chance: () => 0,
  });
}

async function readAll(foreman: ScriptedForeman, stored = STORED): Promise<Buffer> {
  const link = await linkTo(foreman);
  const pieces: Uint8Array[] = [];
  for await (const piece of storedOutputsOf(link, 17)(3, stored)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("an output beside the foreman's store", () => {
  test("is read piece by piece, whatever the pieces' size", async () => {
    expect((await readAll(foremanWith(PRINTED))).equals(PRINTED)).toBe(true);
    expect((await readAll(foremanWith(PRINTED, undefined, 70_001))).equals(PRINTED)).toBe(true);
  });

  test("goes on where it stood after a lost connection", async () => {
    const foreman = foremanWith(PRINTED, (asked, { cut }) => {
      if (asked === 2) cut();
      return asked !== 2;
    });
    expect((await readAll(foreman)).equals(PRINTED)).toBe(true);
    expect(foreman.connectionCount).toBe(2);
  });

  test("has one piece under way while another is being written, and no more", async () => {
    const foreman = foremanWith(PRINTED);
    const pieces = storedOutputsOf(await linkTo(foreman), 17)(3, STORED)[Symbol.asyncIterator]();
    await pieces.next();
    const firsts = () =>
      foreman.heard.flatMap((each) => (each.type === "read_output" ? [each.first_byte] : []));
    expect(firsts()).toEqual([0, OUTPUT_CHUNK_BYTES]);
    await pieces.next();
    expect(firsts()).toEqual([0, OUTPUT_CHUNK_BYTES, 2 * OUTPUT_CHUNK_BYTES]);
  });

  test("is no output when a byte or its length is another", async () => {
    const changed = Buffer.from(PRINTED);
    changed[2_000_000] = 255;
    await expect(readAll(foremanWith(changed))).rejects.toMatchObject({ code: "output_corrupt" });
    const short = PRINTED.subarray(0, 1_000_000);
    await expect(readAll(foremanWith(short))).rejects.toMatchObject({ code: "output_corrupt" });
  });

  test("that is larger than one text may be is refused where one text is wanted", async () => {
    const stored = { ...STORED, byteCount: OUTPUT_TEXT_BYTES_MAX + 1 };
    const read = storedOutputsOf(await linkTo(foremanWith(PRINTED)), 17);
    await expect(readWholeOutput(read, 17, 3, stored)).rejects.toMatchObject({
      code: "output_too_large",
      exitCode: 2,
    });
    expect(Buffer.from(await readWholeOutput(read, 17, 3, STORED)).equals(PRINTED)).toBe(true);
  });
});
