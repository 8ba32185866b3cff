/**
 * Outputs from a worker's side to the foreman's disk: the real uploads, intake, ledger and files with a
 * line between them that a test cuts, and a foreman that it kills.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createOutputLedger,
  type OutputLedger,
} from "../../../../src/runtime/foreman/storage/output-ledger.ts";
import {
  createOutputIntake,
  type OutputIntake,
} from "../../../../src/runtime/foreman/workers/output-intake.ts";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../../../src/runtime/platform/logger.ts";
import { CcError } from "../../../../src/runtime/protocol/error.ts";
import { asBootId } from "../../../../src/runtime/protocol/ids.ts";
import { FEATURES, type Message } from "../../../../src/runtime/protocol/messages.ts";
import {
  fileNameOf,
  type OutputName,
  openOutputFiles,
} from "../../../../src/runtime/store/output-files.ts";
import type { Channel } from "../../../../src/runtime/transport/channel.ts";
import type {
  OutputRefusal,
  OutputUpload,
} from "../../../../src/runtime/worker/outputs/output-upload.ts";
import {
  createOutputUploads,
  type OutputUploads,
} from "../../../../src/runtime/worker/outputs/output-uploads.ts";
import { createRandom, type Random } from "../../../support/fuzz/random.ts";

const MIB = 1024 * 1024;
const BOOT = asBootId("boot-boot");
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-streams-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Foreman {
  readonly ledger: OutputLedger;
  readonly intake: OutputIntake;
}

interface World {
  readonly uploads: OutputUploads;
  foreman: Foreman;
  /** Attempts that do not run any more. */
  readonly over: Set<number>;
  /** Data that the foreman was sent and has not said to be kept, at its most. */
  readonly unkeptBytesMax: number;
  readonly clock: ReturnType<typeof createManualClock>;
  /** What the worker was told to be kept, by index; and how often it was told anything. */
  readonly acknowledged: Map<number, number>;
  readonly ackCount: number;
  isDiskFull: boolean;
  connect(): void;
  cut(): void;
  /** A foreman that knows what lies on the disk and nothing else. */
  restart(): Promise<void>;
  pathOf(index: number): string;
}

const nameOf = (index: number): OutputName => ({
  jobId: 1,
  index,
  attempt: 1,
  assignment: 100 + index,
});

function createWorld({ bytesMax = 1024 * MIB } = {}): World {
  const clock = createManualClock();
  const disk = openOutputFiles(folder);
  let writing: Promise<unknown> = Promise.resolve();
  const files: typeof disk = {
    ...disk,
    write(...what) {
      const written = disk.write(...what);
      writing = Promise.all([writing, written]);
      return written;
    },
  };
  const uploads = createOutputUploads(clock);
  let channel: Channel | null = null;
  let underWayBytes = 0;
  let unkeptBytesMax = 0;
  let ackCount = 0;

  function createForeman(found: Parameters<typeof createOutputLedger>[0]["found"]): Foreman {
    const isHeld = ({ index }: OutputName): boolean => !world.over.has(index);
    const fault = (thrown: unknown): never => {
      throw thrown;
    };
    const ledger = createOutputLedger({ files, found, isHeld, onFault: fault });
    const intake = createOutputIntake({
      ledger,
      clock,
      logger: silentLogger,
      bytesMax,
      gate: {
        refuseNew: () =>
          world.isDiskFull ? new CcError({ code: "storage_full", message: "full" }) : null,
        onNoRoomForNew: () => {},
      },
      isHeldBy: (bootId, name) => bootId === BOOT && isHeld(name),
      onFatal: fault,
    });
    return { ledger, intake };
  }

  /** In order, each in a turn of its own; what is on its way when the line is cut is lost. */
  function openLine(): { readonly atForeman: Channel; send(message: Message): void } {
    const toForeman: Message[] = [];
    const toWorker: Message[] = [];
    const deliver = (queue: Message[], hear: (message: Message) => void) => (message: Message) => {
      queue.push(message);
      setImmediate(() => {
        const next = queue.shift();
        if (next !== undefined && channel === atForeman) hear(next);
      });
    };
    const hearAtWorker = deliver(toWorker, (message) => {
      if (message.type !== "output_chunk_ack") throw new Error(message.type);
      ackCount++;
      world.acknowledged.set(message.index, message.kept_bytes);
      uploads.onAck(message);
    });
    const hearAtForeman = deliver(toForeman, (message) => {
      if (message.type !== "output_chunk") throw new Error(message.type);
      underWayBytes = world.foreman.ledger.byteCount;
      unkeptBytesMax = Math.max(unkeptBytesMax, message.first_byte + message.data.byteLength);
      world.foreman.intake.onChunk(atForeman, BOOT, message);
    });
    const atForeman = { send: hearAtWorker } as unknown as Channel;
    return { atForeman, send: hearAtForeman };
  }

  const world: World = {
    uploads,
    foreman: null as unknown as Foreman,
    over: new Set(),
    get unkeptBytesMax() {
      return unkeptBytesMax - underWayBytes;
    },
    clock,
    acknowledged: new Map(),
    get ackCount() {
      return ackCount;
    },
    isDiskFull: false,
    connect() {
      const line = openLine();
      channel = line.atForeman;
      uploads.onConnected(line.send, FEATURES);
    },
    cut() {
      const lost = channel;
      channel = null;
      uploads.onDisconnected();
      if (lost !== null) world.foreman.intake.drop(lost);
    },
    async restart() {
      world.cut();
      world.foreman.intake.stop();
      // A process that is gone writes nothing any more.
      await writing;
      const found = (await files.list()).map((file) => ({ ...file, isRecorded: false }));
      world.foreman = createForeman(found);
    },
    pathOf: (index) => join(folder, "1", fileNameOf(nameOf(index))),
  };
  world.foreman = createForeman([]);
  world.connect();
  return world;
}

interface Opened {
  readonly upload: OutputUpload;
  readonly refusals: OutputRefusal[];
}

function open(world: World, index: number): Opened {
  const refusals: OutputRefusal[] = [];
  const { jobId, attempt, assignment } = nameOf(index);
  const task = { assignmentId: assignment, jobId, index, attempt };
  const upload = world.uploads.open(task, (refusal) => void refusals.push(refusal));
  if (upload === null) throw new Error("it is taken");
  return { upload, refusals };
}

/** Pushes all of it as a command would: each piece once the last one has its place. */
async function print({ upload }: Opened, bytes: Uint8Array, random: Random) {
  for (let at = 0; at < bytes.byteLength; ) {
    const piece = bytes.subarray(at, at + 1 + random.below(131_072));
    await upload.push(piece);
    at += piece.byteLength;
  }
  return await upload.finish();
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const bytesOf = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >>> 12) * seed) & 0xff);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("an output", () => {
  test("lies on the foreman's disk before its worker hears so", async () => {
    const world = createWorld();
    const printed = bytesOf(9 * MIB + 17, 1);
    const end = await print(open(world, 0), printed, createRandom(1));
    expect(end).toEqual({
      kind: "kept",
      stored: { byteCount: printed.byteLength, assignment: 100, sha256: sha256(printed) },
    });
    expect(readFileSync(world.pathOf(0)).equals(printed)).toBe(true);
    expect(world.foreman.ledger.find(1, 0, 100)).toMatchObject({ isWhole: true });
  });

  test("never has more under way than was granted, whoever prints how fast", async () => {
    const world = createWorld();
    const outputs = [0, 1, 2, 3].map((index) => open(world, index));
    await Promise.all(
      outputs.map((output, i) => print(output, bytesOf(6 * MIB, i), createRandom(i))),
    );
    expect(world.unkeptBytesMax).toBeLessThanOrEqual(8 * MIB);
  });

  test("beyond the quota is refused by a sentence that names it, and leaves room for others", async () => {
    const world = createWorld({ bytesMax: 12 * MIB });
    const first = open(world, 0);
    expect(await print(first, bytesOf(20 * MIB, 1), createRandom(1))).toMatchObject({
      kind: "refused",
      refusal: { code: "result_too_large" },
    });
    expect(first.refusals[0]?.message).toMatch(/12 MiB.*cc foreman --output-size/);
    expect(first.refusals).toHaveLength(1);
    await world.foreman.ledger.removed();
    expect(world.foreman.ledger.byteCount).toBe(0);
    const second = await print(open(world, 1), bytesOf(10 * MIB, 2), createRandom(2));
    expect(second.kind).toBe("kept");
  });

  test("waits while the disk is full, holds little meanwhile, and goes on by itself", async () => {
    const world = createWorld();
    world.isDiskFull = true;
    const printed = bytesOf(12 * MIB, 3);
    let end: unknown = null;
    const opened = open(world, 0);
    const printing = print(opened, printed, createRandom(3)).then((how) => {
      end = how;
    });
    for (let i = 0; i < 200; i++) await turn();
    expect(end).toBeNull();
    expect(world.foreman.ledger.byteCount).toBe(0);
    world.isDiskFull = false;
    world.clock.advance(1_000);
    await printing;
    expect(end).toMatchObject({ kind: "kept" });
    expect(readFileSync(world.pathOf(0)).equals(printed)).toBe(true);
  });

  test("of an attempt that is over is refused, and nothing of it stays", async () => {
    const world = createWorld();
    const opened = open(world, 0);
    void opened.upload.push(bytesOf(2 * MIB, 1));
    while (world.foreman.ledger.byteCount === 0) await turn();
    world.over.add(0);
    const attemptsEnded = { type: "attemptsEnded", jobId: 1 as never, rows: [] } as const;
    world.foreman.ledger.onCommitted([attemptsEnded]);
    world.foreman.intake.onCommitted();
    expect(await opened.upload.finish()).toMatchObject({
      kind: "refused",
      refusal: { code: "stale_attempt" },
    });
    await world.foreman.ledger.removed();
    expect(await openOutputFiles(folder).list()).toEqual([]);
  });

  test("that nobody wants any more ends at once, also without a foreman", async () => {
    const world = createWorld();
    world.cut();
    const opened = open(world, 0);
    const waits = opened.upload.push(bytesOf(9 * MIB, 1));
    const end = opened.upload.finish();
    opened.upload.abandon();
    expect(await end).toEqual({ kind: "abandoned" });
    await waits;
  });

  test("is not begun for a foreman that does not know of it", async () => {
    const world = createWorld();
    const { upload, refusals } = open(world, 0);
    world.cut();
    world.uploads.onConnected(() => {}, []);
    expect(await upload.finish()).toMatchObject({ kind: "refused" });
    expect(refusals[0]?.code).toBe("result_too_large");
    const task = { assignmentId: 1, jobId: 1, index: 1, attempt: 1 };
    expect(world.uploads.open(task, () => {})).toBeNull();
  });
});

describe("what a worker says out of turn", () => {
  const chunk = (changes: object) =>
    ({
      type: "output_chunk",
      assignment: 100,
      job_id: 1,
      index: 0,
      attempt: 1,
      first_byte: 0,
      data: new Uint8Array(0),
      ready_bytes: 0,
      last: false,
      ...changes,
    }) as const;

  function ask(world: World, ...chunks: ReturnType<typeof chunk>[]) {
    const heard: Message[] = [];
    const channel = { send: (message: Message) => void heard.push(message) } as unknown as Channel;
    for (const each of chunks) world.foreman.intake.onChunk(channel, BOOT, each);
    return heard;
  }

  test("more than was granted, a gap, and another's task are refused", async () => {
    const world = createWorld();
    const data = new Uint8Array(10);
    const refusalOf = async (...chunks: ReturnType<typeof chunk>[]) => {
      const heard = ask(world, ...chunks);
      await turn();
      await turn();
      const last = heard.at(-1);
      return last?.type === "output_chunk_ack" ? last.refusal?.code : null;
    };
    expect(await refusalOf(chunk({ data }))).toBe("output_not_granted");
    expect(await refusalOf(chunk({}), chunk({ data }))).toBe("output_not_granted");
    expect(await refusalOf(chunk({ first_byte: 5 }))).toBe("output_gap");
    expect(await refusalOf(chunk({}), chunk({ first_byte: 5, data }))).toBe("output_gap");
    world.over.add(0);
    expect(await refusalOf(chunk({}))).toBe("stale_attempt");
    expect(world.foreman.ledger.byteCount).toBe(0);
  });
});

/** Bytes that were never said to be kept are anything, and the foreman starts on that. */
async function losePower(world: World): Promise<void> {
  for (const { index, byteCount } of await openOutputFiles(folder).list()) {
    const from = world.acknowledged.get(index) ?? 0;
    const file = openSync(world.pathOf(index), "r+");
    const lost = Math.max(0, byteCount - from);
    writeSync(file, new Uint8Array(lost), 0, lost, from);
    closeSync(file);
  }
  await world.restart();
}

test("cuts, restarts and a disk that lost what was not synced leave every output as it was printed", async () => {
  for (const seed of [1, 2, 3]) {
    const random = createRandom(seed);
    const world = createWorld();
    const printed = [0, 1, 2].map((index) =>
      bytesOf(9 * MIB + random.below(3 * MIB), seed + index),
    );
    const opened = printed.map((_, index) => open(world, index));
    let left = printed.length;
    const ends = printed.map((bytes, index) =>
      print(opened[index] as Opened, bytes, random).finally(() => left--),
    );
    while (left > 0) {
      const until = world.ackCount + 1 + random.below(12);
      while (left > 0 && world.ackCount < until) await turn();
      if (random.chance(0.5)) world.cut();
      else {
        await world.restart();
        if (random.chance(0.5)) await losePower(world);
      }
      world.connect();
    }
    for (const [index, end] of (await Promise.all(ends)).entries()) {
      const bytes = printed[index] as Uint8Array;
      expect(end).toMatchObject({ kind: "kept", stored: { sha256: sha256(bytes) } });
      expect(readFileSync(world.pathOf(index)).equals(bytes)).toBe(true);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
