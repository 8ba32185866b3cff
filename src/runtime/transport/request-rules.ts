/**
 * Whether an HTTP request may go on, decided before any work is done for it. A refusal is a status, a
 * code for our own client and a sentence for whoever typed `curl`.
 */

import type { IncomingMessage } from "node:http";
import { PROGRAM_VERSION } from "../platform/version.ts";
import type { Encoding } from "../protocol/frames.ts";
import { PROTOCOL_VERSION, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "../protocol/messages.ts";
import { type HostRules, isHostAllowed } from "./host-rules.ts";

export interface RequestFacts {
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly localAddress: string | undefined;
}

export interface Refusal {
  readonly status: 400 | 403 | 404 | 426 | 503;
  readonly code: string;
  readonly sentence: string;
}

export type UpgradeVerdict =
  | { readonly kind: "accept"; readonly encoding: Encoding }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

export const WEBSOCKET_PATH = "/ws";

export function requestFacts({ url, headers, socket }: IncomingMessage): RequestFacts {
  const path = (url ?? "/").split("?")[0] ?? "/";
  return { path, host: headers.host, origin: headers.origin, localAddress: socket.localAddress };
}

/** Null when the request may go on. Browsers send an Origin with whatever a page starts. */
export function refusalOfRequest(facts: RequestFacts, rules: HostRules): Refusal | null {
  if (facts.origin !== undefined) {
    const sentence = `Requests that a web page starts are refused (Origin ${quoted(facts.origin)}).`;
    return { status: 403, code: "origin_refused", sentence };
  }
  if (facts.host === undefined) {
    return { status: 400, code: "host_missing", sentence: "The request has no Host header." };
  }
  if (!isHostAllowed(facts.host, facts.localAddress, rules)) {
    const sentence = `This foreman does not answer to the name ${quoted(facts.host)}: use its address.`;
    return { status: 403, code: "host_refused", sentence };
  }
  return null;
}

export function judgeUpgrade(
  facts: RequestFacts & { readonly subprotocols: string | undefined },
  rules: HostRules,
): UpgradeVerdict {
  const refusal = refusalOfRequest(facts, rules);
  if (refusal !== null) return { kind: "refuse", refusal };
  if (facts.path !== WEBSOCKET_PATH) {
    const sentence = `WebSocket connections go to ${WEBSOCKET_PATH}, not to ${quoted(facts.path)}.`;
    return { kind: "refuse", refusal: { status: 404, code: "not_found", sentence } };
  }
  const offered = (facts.subprotocols ?? "").split(",").map((name) => name.trim());
  if (offered.includes(SUBPROTOCOL_MSGPACK)) {
    return { kind: "accept", encoding: "msgpack" };
  }
  if (offered.includes(SUBPROTOCOL_JSON)) {
    return { kind: "accept", encoding: "json" };
  }
  return { kind: "refuse", refusal: refusalOfSubprotocols(offered) };
}

function refusalOfSubprotocols(offered: readonly string[]): Refusal {
  const ours = `crowdcompute ${PROGRAM_VERSION} (protocol ${PROTOCOL_VERSION})`;
  const versions = offered.map((name) =>
    Number(/^crowdcompute\.v(\d{1,6})\./.exec(name)?.[1] ?? 0),
  );
  const newest = Math.max(...versions);
  if (newest === 0) {
    const sentence = `Offer the sub-protocol ${SUBPROTOCOL_MSGPACK} or ${SUBPROTOCOL_JSON}; this is ${ours}.`;
    return { status: 400, code: "no_subprotocol", sentence };
  }
  const behind = newest > PROTOCOL_VERSION ? "foreman" : "client or worker";
  const sentence = `The foreman is ${ours} and the peer speaks protocol ${newest}: upgrade the ${behind}.`;
  return { status: 426, code: "version_mismatch", sentence };
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 200));
