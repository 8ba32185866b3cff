/** The way to the foreman: which address is tried, who answers there, and how fast. */
import { bodyOf, type Connection } from "../../runtime/client/connection.ts";
import { DEFAULT_URL, reachForeman } from "../../runtime/client/resolve.ts";
import { systemClock } from "../../runtime/platform/clock.ts";
import type { Paths } from "../../runtime/platform/paths.ts";
import { PROGRAM_VERSION } from "../../runtime/platform/version.ts";
import type { ForemanView } from "../../runtime/protocol/views.ts";
import { readNotedUrl } from "../../runtime/store/folder.ts";
import { formatDuration, formatPlural } from "../../tui/text/amounts.ts";
import { type Check, type CheckSection, failedBy, ok, warning } from "./check.ts";

const ROUND_TRIPS = 5;

export interface ForemanRequest {
  readonly foreman: string | undefined;
  /** Where `foreman` came from, for people. */
  readonly origin: string;
  readonly keyFile: string | undefined;
  readonly cwd: string;
  readonly paths: Paths;
}

export async function checkForeman(request: ForemanRequest): Promise<CheckSection> {
  const checks: Check[] = [describeAddress(request)];
  try {
    const reached = await reachForeman({ ...request, clock: systemClock });
    if (reached.kind === "absent") checks.push(nobody());
    else checks.push(...(await checkConnection(reached.connection)));
  } catch (thrown) {
    checks.push(failedBy("foreman", thrown));
  }
  return { title: "way to the foreman", checks };
}

function describeAddress({ foreman, origin, paths }: ForemanRequest): Check {
  const noted = readNotedUrl(paths.defaultStore);
  const tried = foreman ?? noted ?? DEFAULT_URL;
  const why =
    foreman !== undefined
      ? `from ${origin}`
      : noted !== null
        ? "noted in the default store"
        : "the default address";
  return ok("address", `${tried}: ${why}`, { url: tried });
}

const nobody = (): Check =>
  warning(
    "foreman",
    "no foreman is running here; cc submit starts one of its own for as long as it needs it",
    "For one that stays: cc foreman",
    { reachable: false },
  );

async function checkConnection(connection: Connection): Promise<readonly Check[]> {
  try {
    const foreman = await look(connection);
    const roundTripMs = await measure(connection);
    const facts = {
      reachable: true,
      url: connection.url,
      version: foreman.version,
      round_trip_seconds: roundTripMs / 1000,
      connected_workers: foreman.connected_workers,
      slots: foreman.slots,
    };
    const text = `${connection.url} answers in ${formatDuration(roundTripMs)}: version ${foreman.version}, store ${foreman.store}`;
    return [
      ok("foreman", text, facts),
      ...compareVersions(foreman.version),
      describeWorkers(foreman),
    ];
  } finally {
    connection.close();
  }
}

async function look(connection: Connection): Promise<ForemanView> {
  return bodyOf<ForemanView>(await connection.look({ kind: "foreman" }));
}

/** The median, since the first ones may meet code that has not run before. */
async function measure(connection: Connection): Promise<number> {
  const durations: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const startedAtMs = performance.now();
    await look(connection);
    durations.push(performance.now() - startedAtMs);
  }
  durations.sort((left, right) => left - right);
  return durations[Math.floor(ROUND_TRIPS / 2)] ?? 0;
}

function compareVersions(version: string): readonly Check[] {
  if (version === PROGRAM_VERSION) return [];
  const text = `the foreman's version is ${version}, this program's ${PROGRAM_VERSION}`;
  return [warning("foreman_version", text, "Upgrade the older one when it suits you.")];
}

function describeWorkers(foreman: ForemanView): Check {
  const { connected_workers: count, slots, unfinished_jobs: jobs } = foreman;
  if (count === 0) {
    return warning("workers", "no worker is connected, so nothing runs", "cc worker", { count: 0 });
  }
  const text = `${formatPlural(count, "worker")} with ${formatPlural(slots, "slot")}, ${formatPlural(jobs, "unfinished job")}`;
  return ok("workers", text, { count, slots });
}
