/**
 * What a frame of a peer amounts to: a message, a question that we cannot answer, or a reason to close.
 * Pure, and total: no bytes make it throw.
 */
import { CcError } from "../protocol/error.ts";
import { decodeFrame, type Encoding, frameText, requestOfFrame } from "../protocol/frames.ts";
import type { Message } from "../protocol/messages.ts";

export type FrameReading =
  | { readonly kind: "message"; readonly message: Message; readonly byteCount: number }
  /** An unknown type: a newer peer's, so the connection goes on. */
  | { readonly kind: "unknown"; readonly error: CcError; readonly request: number | undefined }
  | { readonly kind: "refused"; readonly code: number; readonly error: CcError };

export interface FrameFacts {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

export function readFrame(
  { bytes, isBinary }: FrameFacts,
  { encoding, bytesMax }: { readonly encoding: Encoding; readonly bytesMax: number },
): FrameReading {
  if (bytes.byteLength > bytesMax) {
    const message = `A frame of ${bytes.byteLength} bytes is over the limit of ${bytesMax}.`;
    return refuse(1009, new CcError({ code: "frame_too_large", message }));
  }
  if (encoding === "msgpack" && !isBinary) {
    const message = "A text frame came on the MessagePack sub-protocol.";
    return refuse(1003, new CcError({ code: "malformed_message", message }));
  }
  try {
    // A JSON frame may come as binary too; either way its bytes must be UTF-8.
    const frame = encoding === "json" ? frameText(bytes) : bytes;
    return decode(frame, bytes.byteLength);
  } catch (thrown) {
    return refuse(1007, asMalformed(thrown));
  }
}

function decode(frame: Uint8Array | string, byteCount: number): FrameReading {
  try {
    return { kind: "message", message: decodeFrame(frame), byteCount };
  } catch (thrown) {
    if (!(thrown instanceof CcError) || thrown.code !== "unknown_message") throw thrown;
    return { kind: "unknown", error: thrown, request: requestOfFrame(frame) };
  }
}

const refuse = (code: number, error: CcError): FrameReading => ({ kind: "refused", code, error });

/** Whatever a decoder throws on a peer's bytes is the peer's fault. */
function asMalformed(thrown: unknown): CcError {
  if (thrown instanceof CcError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new CcError({
    code: "malformed_message",
    message: `A message does not follow the protocol: ${detail}.`,
    cause: thrown,
  });
}
