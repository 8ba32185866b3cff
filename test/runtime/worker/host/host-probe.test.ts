import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  readCpuQuota,
  readMemoryGroup,
} from "../../../../src/runtime/worker/host/control-groups.ts";
import {
  countProcessors,
  countRanges,
  createHostProbe,
  parseCpuTimes,
} from "../../../../src/runtime/worker/host/host-probe.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A machine made of files, named below `proc/` and `cgroup/`. */
function machine(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), "cc-host-"));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { proc: join(root, "proc"), cgroup: join(root, "cgroup") };
}

const GIB = 2 ** 30;
const kib = (bytes: number) => bytes / 1024;
const memory = (total: number, available: number) =>
  `MemTotal:       ${kib(total)} kB\nMemFree:  1 kB\nMemAvailable:   ${kib(available)} kB\n`;

describe("processors", () => {
  test("are those of the affinity mask", () => {
    const roots = machine({ "proc/self/status": "Name:\tx\nCpus_allowed_list:\t0-3,8,10-11\n" });
    expect(countProcessors(roots)).toBe(7);
    expect(countRanges("5")).toBe(1);
  });

  test("are limited by the smallest quota on the way to the root, cgroup v2", () => {
    const roots = machine({
      "proc/self/status": "Cpus_allowed_list:\t0-15\n",
      "proc/self/cgroup": "0::/user.slice/worker\n",
      "cgroup/user.slice/worker/cpu.max": "max 100000\n",
      "cgroup/user.slice/cpu.max": "250000 100000\n",
    });
    expect(readCpuQuota(roots)).toBe(2.5);
    expect(countProcessors(roots)).toBe(2);
  });

  test("are limited by a v1 quota, also where the container does not see its own path", () => {
    const roots = machine({
      "proc/self/status": "Cpus_allowed_list:\t0-15\n",
      "proc/self/cgroup": "4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n",
      "cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
      "cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    });
    expect(readCpuQuota(roots)).toBe(0.5);
    expect(countProcessors(roots)).toBe(1);
  });

  test("have no quota where v1 says -1 or nothing is said", () => {
    const roots = machine({
      "proc/self/cgroup": "3:cpu:/\n",
      "cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "cgroup/cpu/cpu.cfs_period_us": "100000\n",
    });
    expect(readCpuQuota(roots)).toBeNull();
    expect(readCpuQuota(machine({}))).toBeNull();
  });
});

describe("memory", () => {
  test("is the machine's, and its use what is not available", () => {
    const probe = createHostProbe(machine({ "proc/meminfo": memory(8 * GIB, 6 * GIB) }));
    expect(probe.memoryBytes).toBe(8 * GIB);
    expect(probe.sample().memoryPercent).toBe(25);
  });

  test("is a smaller limit's where there is one, without what could be dropped", () => {
    const roots = machine({
      "proc/meminfo": memory(8 * GIB, 6 * GIB),
      "proc/self/cgroup": "0::/job\n",
      "cgroup/job/memory.max": `${2 * GIB}\n`,
      "cgroup/job/memory.current": `${1.5 * GIB}\n`,
      "cgroup/job/memory.stat": `anon 5\ninactive_file ${0.5 * GIB}\n`,
    });
    expect(readMemoryGroup(roots)).toEqual({ limitBytes: 2 * GIB, usedBytes: GIB });
    const probe = createHostProbe(roots);
    expect(probe.memoryBytes).toBe(2 * GIB);
    expect(probe.sample().memoryPercent).toBe(50);
  });

  test("ignores the number that means no limit in v1", () => {
    const roots = machine({
      "proc/self/cgroup": "4:memory:/\n",
      "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    });
    expect(readMemoryGroup(roots)).toBeNull();
  });
});

describe("load", () => {
  test("counts waiting for disks as idle and guests once", () => {
    expect(parseCpuTimes("10 1 5 70 10 1 2 1 9 9")).toEqual({ busy: 20, total: 100 });
  });

  test("is what was busy since the sample before", () => {
    const roots = machine({ "proc/stat": "cpu  100 0 0 900 0 0 0 0\ncpu0 1 2\n" });
    const probe = createHostProbe(roots);
    writeFileSync(join(roots.proc, "stat"), "cpu  175 0 0 925 0 0 0 0\n");
    expect(probe.sample().cpuPercent).toBe(75);
    expect(probe.sample().cpuPercent).toBe(0);
  });

  test("of this machine is between 0 and 100, and it has a processor and memory", () => {
    const probe = createHostProbe();
    const { cpuPercent, memoryPercent } = probe.sample();
    expect(cpuPercent).toBeWithin(0, 100.001);
    expect(memoryPercent).toBeWithin(0.001, 100);
    expect(probe.processorCount).toBeGreaterThanOrEqual(1);
    expect(probe.memoryBytes).toBeGreaterThan(2 ** 26);
  });
});
