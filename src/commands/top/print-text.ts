/**
 * `cc top --once`: one place of the monitor as text. Colour only where stdout is a terminal that wants it;
 * elsewhere not one escape byte.
 */
import { bodyOf, type Connection } from "../../runtime/client/connection.ts";
import type { Focus } from "../../tui/feed.ts";
import { onceText } from "../../tui/once/once.ts";
import { onceFocus, TEXT_AMOUNTS } from "../../tui/once/once-focus.ts";
import type { Theme } from "../../tui/theme/theme.ts";
import { createTheme, detectTheme } from "../../tui/theme/themes.ts";
import { findPlace } from "./find-place.ts";
import { bodyOfFocus, viewOfFocus } from "./focus-view.ts";
import type { OnceContext } from "./print-once.ts";

/** Narrower than this nothing can be read; wider than this nobody reads. */
const COLUMNS_MIN = 40;
const COLUMNS_MAX = 500;

export async function printTextOnce(context: OnceContext, connection: Connection): Promise<void> {
  const { stdout } = context.io;
  const place = await findPlace(connection, context.positionals[0]);
  const focus: Focus = onceFocus(place, TEXT_AMOUNTS);
  const snapshot = await connection.look(viewOfFocus(focus));
  const rows = onceText({
    shown: bodyOfFocus(focus, bodyOf<object>(snapshot)),
    url: connection.url,
    nowMs: Date.now(),
    columns: columnsOf(context),
    theme: themeOf(context),
  });
  await stdout.write(`${rows.join("\n")}\n`);
}

/** A terminal's width, else what was asked for or 80: a pipe has none. */
function columnsOf({ io, values }: OnceContext): number {
  const wanted = values.columns ?? io.stdout.columnCount;
  return Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, wanted));
}

function themeOf({ color, env, values }: OnceContext): Theme {
  const { theme: name, ascii, graph } = values;
  const theme = createTheme(detectTheme(env, { theme: name, ascii: ascii || undefined, graph }));
  return color.stdout ? theme : { ...theme, paint: (_style, text) => text };
}
