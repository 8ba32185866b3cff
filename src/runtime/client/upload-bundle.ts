/**
 * Brings a job's code to the foreman, once: it is offered by its hash and sent only where it is not
 * known. Safe to repeat; what arrived in part is thrown away by the foreman.
 */
import { BLOB_CHUNK_BYTES } from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";

export interface Bundle {
  readonly sha256: string;
  readonly code: Uint8Array;
}

/** Resolves when the foreman holds the code. */
export async function uploadBundle(connection: Connection, bundle: Bundle): Promise<void> {
  const { sha256, code } = bundle;
  const answer = await connection.request({
    type: "blob_offer",
    sha256,
    kind: "bundle",
    byte_count: code.byteLength,
  });
  if (answer.type === "blob_done") return;
  for (let from = 0, number = 0; from < code.byteLength; from += BLOB_CHUNK_BYTES, number++) {
    await connection.sendChunk({
      sha256,
      number,
      data: code.subarray(from, from + BLOB_CHUNK_BYTES),
    });
  }
  await connection.request({ type: "blob_done", sha256 });
}
