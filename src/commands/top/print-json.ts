/**
 * `cc top --json`: what a screen of the monitor shows, as one object, or with `--watch` as one object a
 * change. The keys are those of monitor-views.ts; a job in it is what `cc jobs --json` prints.
 */
import { bodyOf, type Connection } from "../../runtime/client/connection.ts";
import { PROGRAM_VERSION } from "../../runtime/platform/version.ts";
import { JSON_SCHEMA_NAME } from "../../runtime/protocol/views.ts";
import type { Focus } from "../../tui/feed.ts";
import { JSON_AMOUNTS, onceFocus } from "../../tui/once/once-focus.ts";
import { inertJson } from "../inert-json.ts";
import { findPlace } from "./find-place.ts";
import { viewOfFocus } from "./focus-view.ts";
import type { OnceContext } from "./print-once.ts";

export async function printJsonOnce(context: OnceContext, connection: Connection): Promise<void> {
  const focus = await jsonFocus(context, connection);
  const snapshot = await connection.look(viewOfFocus(focus));
  await context.io.stdout.write(jsonLine(context, focus, bodyOf<object>(snapshot)));
}

export async function jsonFocus(context: OnceContext, connection: Connection): Promise<Focus> {
  return onceFocus(await findPlace(connection, context.positionals[0]), JSON_AMOUNTS);
}

/** `kind` says which of the views it is; `version` is the program's that wrote it. */
export function jsonLine({ io }: Pick<OnceContext, "io">, { kind }: Focus, body: object): string {
  const object = { schema: JSON_SCHEMA_NAME, version: PROGRAM_VERSION, kind, ...body };
  return `${inertJson(object, io.stdout.isTerminal)}\n`;
}
