// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/**
 * The ways out of a process group, a session and a family that a task may try, each noting the number of
 * what it leaves behind; and how tests see when all of it is gone.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, eventually } from "../support/cluster.ts";

/** Each writes its number into the file `$PIDS` before it sleeps. */
const REMAIN = `sh -c 'echo $$ >> "$PIDS"; exec sleep 600'`;
const QUOTED = REMAIN.replaceAll('"', '\\"').replaceAll("$", "\\$");

/** Ends at nothing less than SIGKILL. */
export const STUBBORN = `sh -c 'trap "" TERM HUP INT; echo $$ >> "$PIDS"; while :; do sleep 1; done'`;

/** One process each. */
export const ESCAPES: readonly string[] = [
  `${REMAIN} &`,
  `setsid ${REMAIN} &`,
  `(${REMAIN} &)`,
  `(setsid ${REMAIN} &)`,
  `nohup ${REMAIN} >/dev/null 2>&1 &`,
  `(cd /; setsid sh -c "${QUOTED} &" </dev/null >/dev/null 2>&1 &)`,
];

export const waitForPids = (wanted: number): string =>
  `while [ "$(wc -l < "$PIDS")" -lt ${wanted} ]; do sleep 0.02; done`;

/** What was started in this cluster and wrote its number down. */
export interface Left {
  /** The file named by `$PIDS`. */
  readonly file: string;
  pids(): readonly number[];
  untilStarted(count: number): Promise<void>;
  untilAllGone(): Promise<void>;
  /** A test that failed must leave nothing running. */
  killAll(): void;
}

export function watchLeft(cluster: Cluster): Left {
  const file = join(cluster.world.folder, "pids");
  const pids = (): readonly number[] =>
    existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map(Number)
      : [];
  return {
    file,
    pids,
    untilStarted: (wanted) =>
      eventually(`${wanted} processes have started`, () => pids().length >= wanted),
    untilAllGone: () => eventually("all of them are gone", () => !pids().some(isAlive)),
    killAll() {
      for (const pid of pids()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    },
  };
}

export function isAlive(pid: number): boolean {
  const [state] = statFields(String(pid));
  return state !== undefined && state !== "Z";
}

/** Of `/proc/PID/stat`, from the state on; empty when there is no such process. */
export function statFields(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  } catch {
    return [];
  }
}
