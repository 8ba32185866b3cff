/** The words of a WebSocket's end: reasons that fit a close frame, and faults as code and reason. */
import type { ChannelEnd } from "./channel.ts";

/** Of a close frame's reason, by the WebSocket protocol. */
const CLOSE_REASON_BYTES_MAX = 123;
const ELLIPSIS = "…";

/** Cut at a character's border where it is too long. */
export function fitCloseReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.byteLength <= CLOSE_REASON_BYTES_MAX) return reason;
  let length = CLOSE_REASON_BYTES_MAX - Buffer.byteLength(ELLIPSIS);
  while (length > 0 && ((bytes[length] as number) & 0xc0) === 0x80) length--;
  return `${bytes.subarray(0, length).toString()}${ELLIPSIS}`;
}

/** Both `ws` implementations report what they refused as an error, and then close with a bare 1006. */
export function endOfFault(fault: Error): ChannelEnd {
  const code = "code" in fault ? String(fault.code) : "";
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
    return { code: 1009, reason: "a frame is over the limit", byUs: true };
  }
  if (code === "WS_ERR_INVALID_UTF8") {
    return { code: 1007, reason: "a text frame is not UTF-8", byUs: true };
  }
  if (code.startsWith("WS_ERR_")) return { code: 1002, reason: fault.message, byUs: true };
  return { code: 1006, reason: fault.message, byUs: false };
}
