import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import {
  ensureKeyFile,
  ensureLocalKeys,
  readKeyFile,
  writeKeyFile,
} from "../../../src/runtime/transport/key-files.ts";
import { createKey, formatKey } from "../../../src/runtime/transport/keys.ts";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function codeOf(action: () => unknown): string {
  return errorOf(action).code;
}

function errorOf(action: () => unknown): CcError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof CcError) return thrown;
    throw thrown;
  }
  throw new Error("expected a CcError");
}

describe("the local keys", () => {
  test("are made once, private, in a private folder, and read ever after", () => {
    const before = process.umask(0o000);
    try {
      const made = ensureLocalKeys(folder);
      expect(made.admin.role).toBe("client");
      expect(made.worker.role).toBe("worker");
      expect(ensureLocalKeys(folder)).toEqual(made);
    } finally {
      process.umask(before);
    }
    expect(modeOf(join(folder, "keys"))).toBe("700");
    expect(modeOf(join(folder, "keys", "local-admin.key"))).toBe("600");
    expect(modeOf(join(folder, "keys", "local-worker.key"))).toBe("600");
    expect(readdirSync(join(folder, "keys")).sort()).toEqual([
      "local-admin.key",
      "local-worker.key",
    ]);
  });

  test("are the same for processes that make them at the same moment", async () => {
    const program = join(import.meta.dir, "make-key.fixture.ts");
    const makers = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, program, folder], {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "inherit",
        timeout: 20_000,
      }),
    );
    const outputs = makers.map((maker) => lineReader(maker.stdout));
    for (const read of outputs) expect(await read()).toBe("ready");
    for (const maker of makers) {
      maker.stdin.write("go\n");
      maker.stdin.flush();
    }
    const keys = await Promise.all(outputs.map((read) => read()));
    await Promise.all(makers.map((maker) => maker.exited));
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^cc_client_\S+ cc_worker_\S+$/);
    expect(readdirSync(join(folder, "keys"))).toHaveLength(2);
  }, 30_000);
});

describe("a key file", () => {
  const write = (name: string, mode: number): string => {
    const path = join(folder, name);
    writeFileSync(path, `${formatKey(createKey("client"))}\n`);
    chmodSync(path, mode);
    return path;
  };

  test("is refused when others may read or write it, with the command that mends it", () => {
    for (const mode of [0o640, 0o604, 0o660, 0o610, 0o777]) {
      const path = write(`mode-${mode}`, mode);
      const error = errorOf(() => readKeyFile(path));
      expect(error.code).toBe("unsafe_key_file");
      expect(error.message).toContain(`mode 0${mode.toString(8)}, expected 0600`);
      expect(error.hint).toBe(`chmod 600 ${path}`);
    }
    expect(readKeyFile(write("read-only", 0o400)).role).toBe("client");
  });

  test.if(isRoot)("is refused when it belongs to another account", () => {
    const path = write("foreign", 0o600);
    chownSync(path, NOBODY, NOBODY);
    const error = errorOf(() => readKeyFile(path));
    expect(error.code).toBe("unsafe_key_file");
    expect(error.message).toContain("belongs to user number 65534");
  });

  test("is followed through a link of ours", () => {
    const path = write("real", 0o600);
    symlinkSync(path, join(folder, "link"));
    expect(readKeyFile(join(folder, "link"))).toEqual(readKeyFile(path));
  });

  test.if(isRoot)("is refused behind a link of another account", () => {
    const link = join(folder, "link");
    symlinkSync(write("real", 0o600), link);
    lchownSync(link, NOBODY, NOBODY);
    expect(errorOf(() => readKeyFile(link)).message).toContain("symbolic link of another account");
  });

  test("may be a pipe, as a shell's <(…) makes one", async () => {
    const text = formatKey(createKey("worker"));
    const program = `
      import { readKeyFile } from ${JSON.stringify(join(import.meta.dir, "../../../src/runtime/transport/key-files.ts"))};
      console.log(readKeyFile("/dev/fd/0").role);`;
    const script = 'printf %s "$1" | "$2" -e "$3"';
    const child = Bun.spawn(["sh", "-c", script, "sh", text, process.execPath, program], {
      stdout: "pipe",
      stderr: "inherit",
      timeout: 20_000,
    });
    expect(await new Response(child.stdout).text()).toBe("worker\n");
    expect(await child.exited).toBe(0);
  });

  test("that is missing, a folder, empty or something else says so and what to do", () => {
    const missing = errorOf(() => readKeyFile(join(folder, "none")));
    expect(missing).toMatchObject({ code: "no_key_file", exitCode: 3 });
    expect(missing.message).toContain(join(folder, "none"));
    expect(codeOf(() => readKeyFile(folder))).toBe("unsafe_key_file");
    const other = join(folder, "other");
    for (const text of ["", "hello", "x".repeat(100_000)]) {
      writeFileSync(other, text, { mode: 0o600 });
      const error = errorOf(() => readKeyFile(other));
      expect(error).toMatchObject({ code: "bad_key", exitCode: 3 });
      expect(error.message).toContain(other);
    }
  });

  test("is never overwritten", () => {
    const path = join(folder, "new.key");
    const key = createKey("client");
    writeKeyFile(path, key);
    expect(codeOf(() => writeKeyFile(path, createKey("client")))).toBe("key_file_exists");
    expect(readFileSync(path, "utf8")).toBe(`${formatKey(key)}\n`);
    expect(readdirSync(folder)).toEqual(["new.key"]);
  });

  test("is not made in a folder where others may write", () => {
    const open = join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    const error = errorOf(() => ensureKeyFile(join(open, "a.key"), "client"));
    expect(error.code).toBe("unsafe_key_file");
    expect(error.hint).toBe(`chmod 700 ${open}`);
    expect(readdirSync(open)).toEqual([]);
  });

  test("that cannot be written says why", () => {
    writeFileSync(join(folder, "file"), "");
    const error = errorOf(() => ensureKeyFile(join(folder, "file", "a.key"), "client"));
    expect(error.code).toBe("key_file_unreadable");
    expect(error.message).toContain("ENOTDIR");
  });
});

function lineReader(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended after ${JSON.stringify(text)}`);
      text += decoder.decode(value, { stream: true });
    }
    const line = text.slice(0, text.indexOf("\n"));
    text = text.slice(line.length + 1);
    return line;
  };
}
