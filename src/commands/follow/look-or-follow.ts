/** For verbs that print what is there, and with `-f` go on: over a link that comes back by itself where a foreman runs. */
import type { Link, LinkParts } from "../../runtime/client/link.ts";
import { linkOver } from "../../runtime/client/single-link.ts";
import type { CommandContext } from "../command-context.ts";
import { type ClientContext, withForeman } from "../with-foreman.ts";
import { openFollowingLink } from "./following-link.ts";

type FollowingContext = ClientContext &
  Pick<CommandContext, "quiet"> & { readonly values: { readonly follow?: boolean | undefined } };

/** @param print is told whether more can come. */
export async function lookOrFollow(
  context: FollowingContext,
  print: (link: Link, isFollowing: boolean) => Promise<void>,
  listener: Pick<LinkParts, "onChange"> = {},
): Promise<void> {
  const { follow } = context.values;
  const link = follow ? await openFollowingLink(context, listener) : null;
  if (link === null) {
    await withForeman(context, "look", (connection) => print(linkOver(connection), false));
    if (follow && !context.quiet) {
      await context.io.stderr.write("no foreman is running, so nothing follows: cc foreman\n");
    }
    return;
  }
  try {
    await print(link, true);
  } finally {
    link.close();
  }
}
