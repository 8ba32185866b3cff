/** What the port says in plain HTTP: its health, and to everybody else what it is. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { PROGRAM_VERSION } from "../platform/version.ts";
import type { Refusal } from "./request-rules.ts";

/** Carries the code of a refusal; its presence shows that a foreman answered. */
export const REFUSAL_HEADER = "x-crowdcompute-refusal";

const STATUS_TEXTS = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  426: "Upgrade Required",
  503: "Service Unavailable",
} as const;

export function answerHealth(response: ServerResponse): void {
  const body = `${JSON.stringify({ status: "healthy", program: "crowdcompute", version: PROGRAM_VERSION })}\n`;
  response.writeHead(200, {
    "content-type": "application/json",
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(body);
}

export function answerNotFound(request: IncomingMessage, response: ServerResponse): void {
  const path = JSON.stringify((request.url ?? "/").slice(0, 200));
  answerRefusal(response, {
    status: 404,
    code: "not_found",
    sentence: `This is a CrowdCompute foreman (crowdcompute ${PROGRAM_VERSION}); there is nothing at ${path}. Use the cc command, GET /health, or a WebSocket at /ws.`,
  });
}

export function answerRefusal(response: ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal.status, {
    "content-type": "text/plain; charset=utf-8",
    connection: "close",
    [REFUSAL_HEADER]: refusal.code,
  });
  response.end(`${refusal.sentence}\n`);
}

/** Before an upgrade there is only the bare socket to answer on. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const body = `${refusal.sentence}\n`;
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_TEXTS[refusal.status]}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `${REFUSAL_HEADER}: ${refusal.code}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
