/** What tests of the monitor's views share: a foreman in memory, and one look at a view. */
import { afterEach } from "bun:test";
import { ValueColumnBuilder } from "../../../../../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../../../../../src/runtime/protocol/failure.ts";
import type { ListWindow, View } from "../../../../../src/runtime/protocol/messages/client.ts";
import type { MessageOf } from "../../../../../src/runtime/protocol/messages.ts";
import type { OverviewView } from "../../../../../src/runtime/protocol/monitor-views.ts";
import type { MemoryStore } from "../../../../../src/runtime/store/memory.ts";
import {
  completion,
  createRig,
  type Rig,
  readyMessage,
  submission,
  type TestPeer,
} from "../../rig.ts";

export const WHOLE: ListWindow = { sort: "", reverse: false, filter: "", from: 0, rows: 100 };

/** Makes foremen that are closed after each test. */
export function rigsOfTests(): (store?: MemoryStore) => Promise<Rig> {
  const rigs: Rig[] = [];
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.close();
  });
  return async (store) => {
    const rig = await createRig(store);
    rigs.push(rig);
    return rig;
  };
}

/** Looks once; throws what the foreman answers instead. */
export async function look<Body>(rig: Rig, view: View): Promise<Body> {
  const client = rig.connect();
  client.send({ type: "subscribe", request: 1, view, follow: false });
  const refused = client.next("error").then((error) => {
    throw Object.assign(new Error(error.message), { code: error.code });
  });
  const answer = (await Promise.race([client.next("snapshot"), refused])) as MessageOf<"snapshot">;
  return answer.body as Body;
}

type OverviewRequest = Extract<View, { kind: "overview" }>;

export const lookAtOverview = (
  rig: Rig,
  asked: Partial<OverviewRequest> = {},
): Promise<OverviewView> =>
  look<OverviewView>(rig, {
    kind: "overview",
    window_seconds: 120,
    back_seconds: 0,
    jobs: WHOLE,
    workers: WHOLE,
    events: 20,
    ...asked,
  });

export function connectWorker(
  rig: Rig,
  workerId: string,
  overrides: Parameters<typeof readyMessage>[1] = {},
): TestPeer {
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage(workerId, overrides));
  return worker;
}

export function beat(
  worker: TestPeer,
  number: number,
  fields: Partial<MessageOf<"heartbeat">> = {},
): void {
  worker.send({
    type: "heartbeat",
    connection_seq: 1,
    beat: number,
    running: [],
    cpu: 50,
    memory: 25,
    free_slots: 2,
    ...fields,
  });
}

/** Submits and waits until it is accepted. @returns the job's number. */
export async function submit(
  client: TestPeer,
  inputs: readonly unknown[],
  overrides: Parameters<typeof submission>[1] = {},
): Promise<number> {
  client.send(submission(inputs, overrides));
  return (await client.next("job_accepted")).job_id;
}

/** Completes the next assignment of a worker. */
export async function completeNext(worker: TestPeer, seq: number): Promise<void> {
  worker.send(completion(await worker.next("assign_task"), seq));
  await worker.next("task_result_ack");
}

/** Fails one task of an assignment. */
export async function failTask(
  worker: TestPeer,
  assigned: MessageOf<"assign_task">,
  seq: number,
  failure: { readonly index: number; readonly code: string; readonly message?: string },
): Promise<void> {
  const { index, code, message = code } = failure;
  const value = new ValueColumnBuilder();
  value.pushValue(encodeFailure({ code, message }));
  worker.send({
    type: "task_result",
    seq,
    assignment: assigned.assignment,
    job_id: assigned.job_id,
    status: "failed",
    first_index: index,
    count: 1,
    attempt: 1,
    run_us: 5,
    ended_ago_us: 0,
    code: [code],
    value: value.take(),
  });
  await worker.next("task_result_ack");
}
