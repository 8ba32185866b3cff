/**
 * A worker's machine in the world: the real agent, its loop, its link with the real reconnecting, its
 * reader of messages; around them a pretended crew, a pretended cache of code and a disk for the spool.
 * It boots again after each death, as under a supervisor.
 */
import { CcError } from "../../src/runtime/protocol/error.ts";
import { asBootId, asWorkerId } from "../../src/runtime/protocol/ids.ts";
import type { WorkerOffer } from "../../src/runtime/protocol/job-spec.ts";
import type { Message } from "../../src/runtime/protocol/messages.ts";
import { checkInvariants } from "../../src/runtime/scheduler/agent/invariants.ts";
import {
  type AgentState,
  createAgentState,
  type SpooledResult,
} from "../../src/runtime/scheduler/agent/state.ts";
import type { Peer, WelcomeFacts } from "../../src/runtime/transport/channel.ts";
import { type AgentLoop, createAgentLoop } from "../../src/runtime/worker/agent-loop.ts";
import type { Bundles } from "../../src/runtime/worker/code/bundles.ts";
import { type PerformerParts, performEffect } from "../../src/runtime/worker/effect-performer.ts";
import { createForemanLink } from "../../src/runtime/worker/foreman-link.ts";
import { createJobPlans } from "../../src/runtime/worker/job-plans.ts";
import { createMessageReader } from "../../src/runtime/worker/message-reader.ts";
import type { Spool } from "../../src/runtime/worker/spool/spool.ts";
import type { Dice } from "./chance.ts";
import { createCrew } from "./crew.ts";
import { type Dialler, dialForeman } from "./dialling.ts";
import type { ForemanHost } from "./foreman-host.ts";
import type { Ledger } from "./ledger.ts";
import type { Line } from "./network.ts";
import type { WorldOptions } from "./options.ts";
import { type Story, storyLogger } from "./story.ts";
import type { Process, Timeline, WallClock } from "./timeline.ts";

export interface WorkerHost {
  readonly name: string;
  readonly line: Line;
  readonly process: Process | null;
  readonly dialler: Dialler | null;
  /** The boot that runs or has died last, and since when its process says nothing; null: it does. */
  readonly boot: { readonly bootId: string | null; readonly silentSinceMs: number | null } | null;
  start(): void;
  kill(why: string): void;
  suspend(): void;
  resume(): void;
  /** Stops in order, as at SIGTERM or, twice, at once. */
  stop(kind: "drain" | "abort"): void;
  setOverload(isOverloaded: boolean): void;
  stopFaults(): void;
  /** @throws when an invariant of the machine is broken, or the worker met a fault of its own. */
  check(): void;
}

export interface WorkerHostParts {
  readonly name: string;
  readonly offer: WorkerOffer;
  readonly timeline: Timeline;
  readonly options: WorldOptions;
  readonly dice: Dice;
  readonly line: Line;
  readonly wall: WallClock;
  readonly foreman: ForemanHost;
  readonly ledger: Ledger;
  readonly story: Story;
  /** A message leaves this boot, or one reaches it. */
  onSaid(boot: string, message: Message): void;
  onDeath(): void;
}

interface Boot {
  readonly process: Process;
  readonly executors: Process;
  readonly state: AgentState;
  readonly loop: AgentLoop;
  readonly dialler: Dialler;
}

export function createWorkerHost(parts: WorkerHostParts): WorkerHost {
  const { name, timeline, options, dice, line, story } = parts;
  const disk = new Map<number, SpooledResult>();
  const spoolAfterMs = dice.pick([50, 500, 5_000]);
  let boot: Boot | null = null;
  let bootCount = 0;
  let lastBoot: WorkerHost["boot"] = null;
  let suspendedAtMs = 0;
  let fault: unknown = null;
  let isFaulty = true;

  function start(): void {
    if (boot !== null) return;
    const process = timeline.createProcess(name, parts.wall);
    const executors = timeline.createProcess(`${name}'s executors`, parts.wall);
    const { clock } = process;
    const state = createAgentState({
      workerId: asWorkerId(name),
      offer: parts.offer,
      cpuPercentMax: 90,
      memoryPercentMax: 85,
      idleTimeoutMs: null,
      timeLimitAtMs: null,
      spoolAfterUs: spoolAfterMs * 1000,
      spooled: [...disk.values()].sort((a, b) => a.spoolId - b.spoolId),
      startedAtMs: clock.monotonicMs(),
    });
    story.tell(() => `${name}: boots with ${disk.size} results in its spool`);
    const loop = createAgentLoop({
      state,
      clock,
      perform: (effect) => performEffect(effect, performer),
      onFault: (thrown) => {
        fault = thrown;
      },
    });
    const die = (why: string): void => {
      if (boot?.process !== process) return;
      kill(why);
      parts.onDeath();
    };
    const bundles = createBundles(
      process,
      () => (isFaulty ? options.bundleFailureChance : 0),
      dice,
    );
    const crew = createCrew({
      worker: process,
      executors,
      timeline,
      name,
      dice,
      ledger: parts.ledger,
      story,
      refusalChance: () => (isFaulty ? options.refusalChance : 0),
      bootId: () => state.bootId ?? "",
      post: loop.post,
      die: () => die("is taken down by its task"),
    });
    const plans = createJobPlans({ workerId: asWorkerId(name), inherited: {} });
    const peer: Peer = {
      role: "worker",
      keyId: "work",
      owner: "ann",
      scopes: ["work"],
      address: name,
      programVersion: "0.0.0",
    };
    const dialler = dialForeman({ process, peer, line, dice, foreman: parts.foreman });
    const link = createForemanLink({
      dial: dialler.dial,
      address: "foreman",
      attemptsMax: null,
      clock,
      chance: dice.draw,
      logger: storyLogger(story, name),
      onConnected(welcome) {
        if (state.foremanId !== welcome.foremanId) plans.clear();
        loop.post(connectedOf(welcome, `${name}-boot-${++bootCount}`));
        story.tell(() => `${name}: connected as ${state.bootId} (${state.connectionSeq})`);
      },
      onMessage: createMessageReader({
        post: loop.post,
        plans,
        bundles,
        outputs: { onAck() {} },
        logs: { onAcknowledged() {} },
        logger: storyLogger(story, name),
      }),
      onDisconnected() {
        story.tell(() => `${name}: disconnected`);
        loop.post({ type: "disconnected" });
      },
      onFatal: (error) => die(`gives up: ${error.code}`),
    });
    const performer: PerformerParts = {
      link: {
        send(message) {
          parts.onSaid(state.bootId ?? "", message);
          story.tell(() => `${name}: says ${briefly(message)}`);
          link.send(message);
        },
        redial: link.redial,
      },
      crew,
      bundles,
      logs: { flush() {} },
      spool: createSpool(disk, process, dice),
      logger: storyLogger(story, name),
      post: loop.post,
      onStorageFault() {},
      onStop(reason) {
        story.tell(() => `${name}: stops (${reason})`);
        loop.close();
        void link.close(reason).then(() => process.after(100, () => die("has stopped")));
      },
    };
    boot = { process, executors, state, loop, dialler };
  }

  function kill(why: string): void {
    if (boot === null) return;
    story.tell(() => `${name}: ${why}`);
    boot.process.kill();
    boot.executors.kill();
    for (const execution of parts.ledger.running(name)) execution.end = "killed";
    boot.dialler.onDeath();
    lastBoot = { bootId: boot.state.bootId, silentSinceMs: timeline.nowMs };
    boot = null;
  }

  return {
    name,
    line,
    get process() {
      return boot?.process ?? null;
    },
    get dialler() {
      return boot?.dialler ?? null;
    },
    get boot() {
      if (boot === null) return lastBoot;
      const silentSinceMs = boot.process.isSuspended ? suspendedAtMs : null;
      return { bootId: boot.state.bootId, silentSinceMs };
    },
    start,
    kill,
    suspend() {
      story.tell(() => `${name}: suspended`);
      suspendedAtMs = timeline.nowMs;
      boot?.process.suspend();
    },
    resume() {
      if (!boot?.process.isSuspended) return;
      story.tell(() => `${name}: goes on`);
      boot.process.resume();
    },
    stop(kind) {
      story.tell(() => `${name}: is asked to ${kind}`);
      boot?.loop.post({
        type: kind === "drain" ? "drainRequested" : "abortRequested",
        reason: kind,
      });
    },
    setOverload(isOverloaded) {
      const memoryPercent = isOverloaded ? 95 : 20;
      boot?.loop.post({ type: "loadMeasured", foreignCpuPercent: 0, cpuPercent: 0, memoryPercent });
    },
    stopFaults() {
      isFaulty = false;
    },
    check() {
      if (fault !== null) throw fault;
      if (boot !== null) checkInvariants(boot.state);
    },
  };
}

function connectedOf({ foremanId, heartbeatMs, leaseMs }: WelcomeFacts, bootId: string) {
  const freshBootId = asBootId(bootId);
  return { type: "connected", foremanId, heartbeatMs, leaseMs, freshBootId } as const;
}

/** Code comes after a moment, or not. */
function createBundles(process: Process, failureChance: () => number, dice: Dice): Bundles {
  return {
    ensure: () =>
      new Promise((resolve, reject) => {
        process.after(dice.whole(1, 50), () => {
          if (!dice.happens(failureChance())) resolve("/code.js");
          else reject(new CcError({ code: "bundle_failed", message: "The code did not arrive." }));
        });
      }),
    onConnected() {},
    onDisconnected() {},
    onChunk() {},
    onDone() {},
    onError: () => false,
    close() {},
  };
}

/** Written some time later, unless the worker has died by then; what is written stays. */
function createSpool(disk: Map<number, SpooledResult>, process: Process, dice: Dice): Spool {
  const dropped = new Set<number>();
  const remove = (spoolIds: readonly number[]): void => {
    for (const spoolId of spoolIds) {
      dropped.add(spoolId);
      process.after(dice.whole(0, 5), () => disk.delete(spoolId));
    }
  };
  return {
    recovered: [],
    keep({ spoolId, foremanId, message }) {
      process.after(dice.whole(1, 30), () => {
        if (!dropped.has(spoolId)) disk.set(spoolId, { spoolId, foremanId, message });
      });
    },
    drop: remove,
    setAside: remove,
    settled: async () => {},
  };
}

function briefly(message: Message): string {
  const { type } = message;
  const seq = "seq" in message ? ` ${message.seq}` : "";
  const assignment = "assignment" in message ? ` of ${message.assignment}` : "";
  const index =
    "index" in message && message.index instanceof Uint32Array
      ? ` [${message.index.join(" ")}]`
      : "first_index" in message
        ? ` [${message.first_index}+${"count" in message ? message.count : ""}]`
        : "";
  return `${type}${seq}${assignment}${index}`;
}
