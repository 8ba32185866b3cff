/** Content addresses of bundles: a blob that does not match its name is never stored nor handed out. */
import { createHash } from "node:crypto";
import { CcError } from "../protocol/error.ts";
import { storageCorrupt } from "./storage-error.ts";

export function isBlobWhole(sha256: string, bytes: Uint8Array): boolean {
  return createHash("sha256").update(bytes).digest("hex") === sha256;
}

/** What a peer sent under this name is something else. */
export function blobMismatch(sha256: string, byteCount: number): CcError {
  return new CcError({
    code: "bundle_mismatch",
    message: `The ${byteCount} bytes sent as bundle ${sha256} have another SHA-256.`,
    hint: "Submit the job again; the bundle was damaged on its way.",
    retryable: true,
    exitCode: 3,
  });
}

/** What the disk gave back under this name is something else. */
export function blobCorrupt(store: string, sha256: string): CcError {
  return storageCorrupt(store, `bundle ${sha256} no longer matches its SHA-256`);
}
