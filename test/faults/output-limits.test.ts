/** Stdouts too large for a result, under a quota, on a full disk, and in memory. */
import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { residentMebibytes } from "./hostile/attacked.ts";
import { type Cluster, eventually, type Member, openCluster, within } from "./support/cluster.ts";
import { count, report, TEST_MS } from "./support/long.ts";
import { type Outputs, outputsOf, PRINTS, printedBy, sha256 } from "./support/outputs.ts";
import { canMount, openSmallDisk } from "./support/small-disk.ts";

let cluster: Cluster;
let outputs: Outputs;
afterEach(() => cluster.close());

async function open(
  options: Parameters<typeof openCluster>[0] = {},
  store?: string,
): Promise<void> {
  cluster = await openCluster(options);
  outputs = outputsOf(cluster, store);
}

describe("outputs are bounded", () => {
  test(
    "by the quota: what exceeds it fails by name, and what is removed makes room",
    async () => {
      await open({ args: ["--output-size", "30M"] });
      await cluster.worker("w1", { slots: 2 });
      outputs.letGoOn();
      const fits = await outputs.submit("--shell", "--", PRINTS);
      expect(await outputs.ended(fits)).toMatchObject({ state: "completed" });
      const exceeds = await outputs.submit("--", "yes", "endless");
      const error = (await outputs.ended(exceeds))["error"] as { code: string; message: string };
      expect(error.code).toBe("result_too_large");
      expect(error.message).toMatch(/30 MiB.*--output-size.*cc rm/);
      expect(outputs.kept()).toHaveLength(1);
      await cluster.cc(["rm", fits]);
      const again = await outputs.submit("--shell", "--", PRINTS);
      expect(await outputs.ended(again)).toMatchObject({ state: "completed" });
    },
    TEST_MS,
  );

  test(
    "and so is the memory of whoever passes them on",
    async () => {
      await open();
      const worker = await cluster.worker("w1");
      const bytes = count(200_000_000, 2_000_000_000);
      const figures = await grownBy([cluster.foreman, worker], async () => {
        const jobId = await outputs.submit("--shell", "--", `head -c ${bytes} /dev/zero`);
        expect(await outputs.ended(jobId)).toMatchObject({ state: "completed" });
        const hash = createHash("sha256");
        const mebibyte = new Uint8Array(1_000_000);
        for (let at = 0; at < bytes; at += mebibyte.length) hash.update(mebibyte);
        expect(await outputs.printed(jobId)).toBe(hash.digest("hex"));
      });
      report(
        `${bytes / 1e6} MB of stdout: foreman and worker grew by ${figures.join(" and ")} MiB`,
      );
      for (const figure of figures) expect(figure).toBeLessThan(256);
    },
    TEST_MS,
  );
});

/** How much more memory each had at most while this went on. */
async function grownBy(members: readonly Member[], act: () => Promise<void>): Promise<number[]> {
  const before = members.map(({ pid }) => residentMebibytes(pid));
  const most = [...before];
  const sampling = setInterval(() => {
    for (const [i, { pid }] of members.entries()) {
      most[i] = Math.max(most[i] as number, residentMebibytes(pid));
    }
  }, 20);
  try {
    await act();
  } finally {
    clearInterval(sampling);
  }
  return most.map((mebibytes, i) => Math.round(mebibytes - (before[i] as number)));
}

describe.skipIf(!canMount)("on a foreman's disk that is full", () => {
  test(
    "commands wait, and go on by themselves once there is room",
    async () => {
      const disk = await openSmallDisk(96);
      try {
        const store = join(disk.folder, "store");
        const seen = join(disk.seenFrom, "store");
        await open({ args: ["--store", store], program: disk.program }, seen);
        await eventually("the reserve is there", () => existsSync(join(seen, "reserve")));
        await cluster.worker("w1");
        const jobId = await outputs.submit("--shell", "--", PRINTS);
        await outputs.untilHalfIsKept();
        disk.fill();
        outputs.letGoOn();
        const { foreman } = cluster;
        await within("it says so", foreman.untilStderr(/no room for what commands print/), foreman);
        expect((await cluster.json(["tasks", `${jobId}/0`]))[0]).toMatchObject({
          state: "running",
        });
        disk.free();
        expect(await outputs.ended(jobId)).toMatchObject({ state: "completed", attempts: 1 });
        expect(await outputs.printed(jobId)).toBe(sha256(printedBy(1)));
        await cluster.close();
      } finally {
        await disk.close();
      }
    },
    TEST_MS,
  );
});
