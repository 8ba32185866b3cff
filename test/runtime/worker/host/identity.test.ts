import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CcError } from "../../../../src/runtime/protocol/error.ts";
import {
  acquireIdentity,
  idOfHost,
  type WorkerIdentity,
} from "../../../../src/runtime/worker/host/identity.ts";

let stateFolder = "";
const held: WorkerIdentity[] = [];

beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), "cc-identity-"));
});
afterEach(() => {
  for (const identity of held.splice(0)) identity.release();
  rmSync(stateFolder, { recursive: true, force: true });
});

async function acquire(wantedId: string | null, hostName = "alpha"): Promise<string> {
  const identity = await acquireIdentity({ wantedId, hostName, stateFolder });
  held.push(identity);
  return identity.workerId;
}

async function failureOf(act: Promise<unknown>): Promise<CcError> {
  const error = await act.catch((thrown: unknown) => thrown);
  if (error instanceof CcError) return error;
  throw new Error("expected a CcError");
}

test("the first worker has the host's name, further ones a number, and a free name is taken again", async () => {
  expect(await acquire(null)).toBe("alpha");
  expect(await acquire(null)).toBe("alpha-2");
  expect(await acquire(null)).toBe("alpha-3");
  held[1]?.release();
  expect(await acquire(null)).toBe("alpha-2");
});

test("an id of one's own that is held ends with 75", async () => {
  expect(await acquire("gpu.1")).toBe("gpu.1");
  const error = await failureOf(acquire("gpu.1"));
  expect([error.code, error.exitCode]).toEqual(["worker_id_in_use", 75]);
});

test("names that could not be files or words are refused with 64", async () => {
  for (const id of ["", "a b", "../x", "-a", "a/b", "x".repeat(129), "é"]) {
    const error = await failureOf(acquire(id));
    expect([id, error.code, error.exitCode]).toEqual([id, "bad_worker_id", 64]);
  }
});

test("odd host names become names", () => {
  expect(idOfHost("Host Ü.local")).toBe("Host--.local");
  expect(idOfHost("--.x")).toBe("x");
  expect(idOfHost("")).toBe("worker");
});

test("a state folder that is a file ends with 74", async () => {
  writeFileSync(join(stateFolder, "workers"), "");
  const error = await failureOf(acquire(null));
  expect([error.code, error.exitCode]).toEqual(["worker_state", 74]);
});
