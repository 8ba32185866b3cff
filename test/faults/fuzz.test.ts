/**
 * Nearly right frames from strangers, clients and workers, in both sub-protocols, against a foreman that
 * an honest client uses all the while. The long form sends a million. Again with the same frames:
 * `CC_FUZZ_SEED=N`; another number of them: `CC_FUZZ_FRAMES=N`.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Attacked, expectUnhurt, openAttacked } from "./hostile/attacked.ts";
import { createFuzzingPeer, type FuzzingPeer } from "./hostile/fuzzing-peer.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

const FRAME_COUNT = Number(process.env["CC_FUZZ_FRAMES"] ?? count(5_000, 1_000_000));
const SEED = Number(process.env["CC_FUZZ_SEED"] ?? 20_260_101);
/** After so many frames of each peer the foreman's log is looked at. */
const LOOK_EACH = 2_000;
const FRAMES_SHOWN = 10;

let attacked: Attacked;
beforeAll(async () => {
  attacked = await openAttacked();
}, SETUP_MS);
afterAll(() => attacked.close());

/** Tasks that only the fuzzing workers get, so that what they say is about something. */
async function submitPrey(): Promise<number> {
  const words = [
    "submit",
    "-dq",
    "--worker-label",
    "is=hostile",
    "--retries",
    "1000",
    "--max-fails",
  ];
  const submitted = await attacked.cluster.cc([
    ...words,
    "none",
    "--array",
    "0-99999",
    "--",
    "true",
  ]);
  expect(submitted.exitCode).toBe(0);
  return Number(submitted.stdout.trim());
}

test(
  "mutated frames of every message neither end nor slow nor fill the foreman, and change nobody's results",
  async () => {
    const jobId = await submitPrey();
    const peers = (["stranger", "client", "worker"] as const).flatMap((role, i) =>
      (["msgpack", "json"] as const).map((encoding, j) =>
        createFuzzingPeer(attacked, { role, encoding, seed: SEED + 2 * i + j, jobId }),
      ),
    );
    // Strangers are cheap to refuse and reach little.
    const shareOf = ({ name }: FuzzingPeer): number => (name.startsWith("stranger") ? 0.02 : 0.24);
    const startedAtMs = performance.now();
    try {
      const figures = await attacked.besideHonest(
        `${FRAME_COUNT} mutated frames`,
        () =>
          Promise.all(peers.map((peer) => fuzz(peer, FRAME_COUNT * shareOf(peer)))).then(() => {}),
        { mebibytesMax: 256 },
      );
      expect(figures.jobCount).toBeGreaterThan(10);
    } catch (thrown) {
      const frames = peers.map(
        (peer) => `${peer.name}:\n${peer.lastFrames().slice(-FRAMES_SHOWN).join("\n")}`,
      );
      throw new Error(`seed ${SEED}; the last frames were\n${frames.join("\n")}`, {
        cause: thrown,
      });
    } finally {
      for (const peer of peers) peer.close();
    }
    const sentCount = peers.reduce((sum, peer) => sum + peer.sentCount, 0);
    const connectionCount = peers.reduce((sum, peer) => sum + peer.connectionCount, 0);
    expect(sentCount).toBeGreaterThanOrEqual(FRAME_COUNT);
    const seconds = (performance.now() - startedAtMs) / 1000;
    report(
      `fuzz: ${sentCount} frames on ${connectionCount} connections in ${seconds.toFixed(0)} s`,
    );
  },
  4 * TEST_MS,
);

async function fuzz(peer: FuzzingPeer, frameCount: number): Promise<void> {
  while (peer.sentCount < frameCount) {
    await peer.run(Math.min(LOOK_EACH, Math.ceil(frameCount - peer.sentCount)));
    expectUnhurt(attacked.cluster);
  }
}
