/** A link to a listening foreman that comes back by itself, for verbs that go on printing. */
import { createLink, type Link, type LinkParts } from "../../runtime/client/link.ts";
import { reachForeman } from "../../runtime/client/resolve.ts";
import { systemClock } from "../../runtime/platform/clock.ts";
import { findPaths } from "../../runtime/platform/paths.ts";
import { chance } from "../../runtime/platform/random.ts";
import type { ClientContext } from "../with-foreman.ts";

/** null: no foreman runs, so nothing more will come and what is there is all. */
export async function openFollowingLink(
  { values, cwd, env }: ClientContext,
  listener: Pick<LinkParts, "onChange"> = {},
): Promise<Link | null> {
  const reached = await reachForeman({
    foreman: values.foreman,
    keyFile: values.keyFile,
    cwd,
    paths: findPaths(env),
    clock: systemClock,
  });
  if (reached.kind === "absent") return null;
  const { connection, redial } = reached;
  return createLink({ connection, redial, clock: systemClock, chance, ...listener });
}
