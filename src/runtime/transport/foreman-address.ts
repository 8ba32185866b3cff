/** How people write a foreman's address, brought to the one form that is dialled. */
import { CcError } from "../protocol/error.ts";
import { WEBSOCKET_PATH } from "./request-rules.ts";

export const DEFAULT_PORT = 9000;

export interface ForemanAddress {
  /** To connect to: `ws://127.0.0.1:9000/ws`. */
  readonly url: string;
  /** `host:port`, for the handshake and for messages. */
  readonly target: string;
}

/** Takes `host`, `host:port`, `ws://…` and `http://…`. @throws CcError `bad_address`; exit 2. */
export function parseForemanAddress(text: string): ForemanAddress {
  const typed = text.trim();
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `ws://${typed}`);
  if (url === null || url.hostname === "" || url.username !== "" || url.password !== "") {
    throw badAddress(text, "it is not HOST:PORT or ws://HOST:PORT");
  }
  if (url.protocol === "wss:" || url.protocol === "https:") {
    throw badAddress(text, "encrypted connections are not available in this version");
  }
  if (url.protocol !== "ws:" && url.protocol !== "http:") {
    throw badAddress(text, `it begins with ${url.protocol}// instead of ws://`);
  }
  const target = `${url.hostname}:${explicitPort(typed, url) ?? DEFAULT_PORT}`;
  const path = url.pathname === "/" ? WEBSOCKET_PATH : url.pathname;
  return { url: `ws://${target}${path}`, target };
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** URL drops a port that is its scheme's default, which is not ours. */
function explicitPort(typed: string, url: URL): string | null {
  if (url.port !== "") return url.port;
  return /:80(?:\/|$)/.test(typed) ? "80" : null;
}

function badAddress(text: string, why: string): CcError {
  return new CcError({
    code: "bad_address",
    message: `${JSON.stringify(text)} is no address of a foreman: ${why}.`,
    hint: "Write --foreman ws://HOST:PORT; the default is ws://127.0.0.1:9000.",
    exitCode: 2,
  });
}
