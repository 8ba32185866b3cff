/** Readers that stand still among much traffic cost little, hurt nobody, and miss nothing afterwards. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Attacked, openAttacked } from "./hostile/attacked.ts";
import { eventually, type Member, within } from "./support/cluster.ts";
import { count, SETUP_MS, TEST_MS } from "./support/long.ts";

let attacked: Attacked;
beforeAll(async () => {
  attacked = await openAttacked();
}, SETUP_MS);
afterAll(() => attacked.close());

/** What a collector leaves of the answers; must not grow with the readers or the traffic. */
const MEBIBYTES_MAX = 384;

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
const seqsOf = (text: string): readonly number[] => lines(text).map((line) => JSON.parse(line).seq);

test(
  "stopped followers of results, of a job's end and of events have everything once they go on",
  async () => {
    const { cluster } = attacked;
    const megabytes = count(60, 200);
    cluster.file("large.ts", 'export default (n: number) => n + " " + "x".repeat(2 ** 20);\n');
    // Nobody can run it before its readers stand there.
    const words = ["submit", "-dq", "--worker-label", "is=late", "--array", `0-${megabytes - 1}`];
    const jobId = (await cluster.cc([...words, "large.ts"])).stdout.trim();
    const stopped: Member[] = [
      cluster.start(["events", "-f"]),
      cluster.start(["wait", jobId]),
      ...Array.from({ length: count(2, 5) }, () => cluster.start(["results", "-f", jobId])),
    ];
    const [events] = stopped as [Member];
    await within("events come", events.untilStdout(/job_submitted/), events);
    const good = cluster.start(["events", "-f", "--since", "0"]);
    await within("events come", good.untilStdout(/job_submitted/), good);
    for (const reader of stopped) await reader.freeze();
    await attacked.besideHonest(
      `${stopped.length} stopped readers among ${megabytes} MB`,
      async () => {
        await cluster.worker("late", { slots: 2, args: ["--label", "is=late"] });
        expect((await cluster.cc(["wait", jobId])).exitCode).toBe(0);
        const kept = await cluster.cc(["results", jobId]);
        expect(lines(kept.stdout).length).toBe(megabytes);
      },
      { mebibytesMax: MEBIBYTES_MAX },
    );
    for (const reader of stopped) reader.thaw();
    const [, waiting, ...readers] = stopped as [Member, Member, ...Member[]];
    expect((await within("cc wait ends", waiting.ended, waiting)).exitCode).toBe(0);
    for (const reader of readers) {
      const { exitCode, stdout } = await within("the reader ends", reader.ended, reader);
      expect(exitCode).toBe(0);
      expect(lines(stdout).map((line) => line.split(" ")[0])).toEqual(
        Array.from({ length: megabytes }, (_, i) => String(i)),
      );
    }
    await within("the job ends there, too", events.untilStdout(/"job_ended"/), events);
    // Both have followed from the beginning: none has what the other lacks.
    const all = seqsOf((await cluster.cc(["events", "--json"])).stdout);
    for (const follower of [events, good]) {
      await eventually(
        "it has all of them",
        () => seqsOf(wholeLines(follower)).length >= all.length,
      );
      expect(seqsOf(wholeLines(follower)).slice(0, all.length)).toEqual([...all]);
      follower.kill("SIGTERM");
    }
  },
  TEST_MS,
);

/** Without the line that is being written. */
const wholeLines = (follower: Member): string =>
  follower.stdout().slice(0, follower.stdout().lastIndexOf("\n") + 1);
