import { expect, test } from "bun:test";
import {
  createWorkerSessions,
  type WorkerSessions,
} from "../../../../src/runtime/foreman/workers/worker-sessions.ts";
import { createVitalsBook } from "../../../../src/runtime/foreman/workers/worker-vitals.ts";
import { silentLogger } from "../../../../src/runtime/platform/logger.ts";
import type { Message } from "../../../../src/runtime/protocol/messages.ts";
import type { Channel } from "../../../../src/runtime/transport/channel.ts";
import { anOffer } from "../../../support/specs.ts";

/** A worker's process that connects; the answer ends its connection. */
function connect(sessions: WorkerSessions, bootId: string, closed: string[]): () => void {
  let isOpen = true;
  const channel = {
    send() {},
    close: () => void closed.push(bootId),
    get isOpen() {
      return isOpen;
    },
  } as unknown as Channel;
  const handler = sessions.open(channel);
  const ready: Message = {
    type: "worker_ready",
    worker_id: "w1",
    boot_id: bootId,
    connection_seq: 1,
    offer: anOffer(),
    inventory: [],
    acknowledged_seq: 0,
  };
  handler.onMessage(ready, 100);
  return () => {
    isOpen = false;
    handler.onClose({ code: 1006, reason: "", byUs: false });
  };
}

test("of a worker that is started again and again only what may still come back is kept", () => {
  const sessions = createWorkerSessions({
    logger: silentLogger,
    post() {},
    nowMs: () => 0,
    outputs: () => ({ drop() {} }),
    logs: { take() {}, forgetSession() {} },
    vitals: createVitalsBook(() => 0),
  } as unknown as Parameters<typeof createWorkerSessions>[0]);
  const closed: string[] = [];
  for (let boot = 1; boot <= 50; boot++) connect(sessions, `boot-${boot}`, closed)();
  sessions.closeAll("the foreman stops");
  expect(closed).toEqual(["boot-50"]);
});
