/**
 * Keys on disk. As ssh does, it refuses a key that others could read or have planted; two processes
 * that make the same key at once end with the same key. A secret never appears in an error.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { uuid } from "../platform/random.ts";
import { CcError } from "../protocol/error.ts";
import { createKey, formatKey, type Key, type KeyRole, parseKey } from "./keys.ts";

/** A key is under 100 bytes; a larger file is something else. */
const KEY_FILE_BYTES_MAX = 4_096;
const OTHERS_MAY_ANYTHING = 0o077;
const OTHERS_MAY_WRITE = 0o022;

export interface LocalKeys {
  readonly admin: Key;
  readonly worker: Key;
}

/** Makes `keys/local-admin.key` and `keys/local-worker.key` below the folder where missing. */
export function ensureLocalKeys(configFolder: string): LocalKeys {
  const folder = join(configFolder, "keys");
  return {
    admin: ensureKeyFile(join(folder, "local-admin.key"), "client"),
    worker: ensureKeyFile(join(folder, "local-worker.key"), "worker"),
  };
}

/** Reads the file, or makes it with a new key; whoever loses the race reads the winner's. */
export function ensureKeyFile(path: string, role: KeyRole): Key {
  return tryReadKeyFile(path) ?? createKeyFile(path, role);
}

/** @throws CcError `no_key_file`, `unsafe_key_file`, `bad_key` or `key_file_unreadable`; exit 3. */
export function readKeyFile(path: string): Key {
  const key = tryReadKeyFile(path);
  if (key !== null) return key;
  throw new CcError({
    code: "no_key_file",
    message: `There is no key file ${path}.`,
    hint: "The first `cc foreman` of this account makes the local keys; for a foreman of somebody else give --key-file FILE.",
    exitCode: 3,
  });
}

/** The file appears whole or not at all. @throws CcError `key_file_exists`. */
export function writeKeyFile(path: string, key: Key): void {
  ensureKeyFolder(dirname(path));
  if (linkNewFile(path, `${formatKey(key)}\n`)) return;
  throw new CcError({
    code: "key_file_exists",
    message: `The key file ${path} exists already and is not overwritten.`,
    hint: "Move it away, or name another file.",
    exitCode: 2,
  });
}

function createKeyFile(path: string, role: KeyRole): Key {
  ensureKeyFolder(dirname(path));
  const key = createKey(role);
  return linkNewFile(path, `${formatKey(key)}\n`) ? key : readKeyFile(path);
}

/** Null when the file does not exist. */
function tryReadKeyFile(path: string): Key | null {
  try {
    refuseForeignLink(path);
    const descriptor = openSync(path, constants.O_RDONLY);
    try {
      refuseUnsafeFile(path, fstatSync(descriptor));
      return parseKeyOf(path, readBounded(descriptor));
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    if (thrown instanceof CcError) throw thrown;
    if (errorCode(thrown) === "ENOENT") return null;
    throw fileFault("read the key file", path, thrown);
  }
}

/** Somebody else's link could be pointed at another of our files after we looked. */
function refuseForeignLink(path: string): void {
  const link = lstatSync(path);
  if (link.isSymbolicLink() && !isOurs(link)) {
    throw unsafe(path, "it is a symbolic link of another account", `rm ${path}`);
  }
}

function refuseUnsafeFile(path: string, stats: Stats): void {
  // A pipe is how a shell's <(…) and a parent process hand over a key.
  if (!stats.isFile() && !stats.isFIFO()) throw unsafe(path, "it is not a file", `ls -l ${path}`);
  if (!isOurs(stats)) {
    throw unsafe(path, `it belongs to user number ${stats.uid}`, `chown "$USER" ${path}`);
  }
  if (stats.isFile() && (stats.mode & OTHERS_MAY_ANYTHING) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
    throw unsafe(path, `others may use it (mode ${mode}, expected 0600)`, `chmod 600 ${path}`);
  }
}

function readBounded(descriptor: number): string {
  const buffer = new Uint8Array(KEY_FILE_BYTES_MAX);
  let used = 0;
  while (used < buffer.byteLength) {
    const count = readSync(descriptor, buffer, used, buffer.byteLength - used, null);
    if (count === 0) break;
    used += count;
  }
  return new TextDecoder().decode(buffer.subarray(0, used));
}

function parseKeyOf(path: string, text: string): Key {
  try {
    return parseKey(text);
  } catch (cause) {
    throw new CcError({
      code: "bad_key",
      message: `The file ${path} holds no key: expected one line cc_client_… or cc_worker_….`,
      hint: "Copy the key again, or remove the file so that the next `cc foreman` makes a new one.",
      exitCode: 3,
      cause,
    });
  }
}

/** Ours alone, or a key below it could be swapped by whoever may write there. */
function ensureKeyFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = statSync(folder);
    if (!isOurs(stats)) {
      throw unsafe(folder, `it belongs to user number ${stats.uid}`, `chown "$USER" ${folder}`);
    }
    if ((stats.mode & OTHERS_MAY_WRITE) !== 0) {
      throw unsafe(folder, "others may write to it", `chmod 700 ${folder}`);
    }
  } catch (thrown) {
    if (thrown instanceof CcError) throw thrown;
    throw fileFault("make the folder", folder, thrown);
  }
}

/**
 * Writes a private file beside the path and links it there: unlike O_EXCL on the path itself, a
 * reader never meets half a key, and unlike a rename it never replaces somebody else's.
 * @returns false when the path exists.
 */
function linkNewFile(path: string, text: string): boolean {
  const draft = `${path}.${uuid()}.tmp`;
  try {
    writeDurably(draft, text);
    try {
      linkSync(draft, path);
    } finally {
      unlinkSync(draft);
    }
    return true;
  } catch (thrown) {
    if (errorCode(thrown) === "EEXIST") return false;
    throw fileFault("write the key file", path, thrown);
  }
}

function writeDurably(path: string, text: string): void {
  const descriptor = openSync(path, "wx", 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Where the system knows no owners (Windows) everything counts as ours. */
function isOurs(stats: Stats): boolean {
  const ours = process.geteuid?.();
  return ours === undefined || stats.uid === ours;
}

function unsafe(path: string, reason: string, hint: string): CcError {
  return new CcError({
    code: "unsafe_key_file",
    message: `The key file ${path} is not used: ${reason}.`,
    hint,
    exitCode: 3,
  });
}

function fileFault(action: string, path: string, thrown: unknown): CcError {
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new CcError({
    code: "key_file_unreadable",
    message: `Could not ${action} ${path}: ${detail}.`,
    hint: "Check the permissions and free space of that folder.",
    exitCode: 3,
    cause: thrown,
  });
}

function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
}
