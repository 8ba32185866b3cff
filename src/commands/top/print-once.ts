/**
 * `cc top` without a screen: `--once`, `--json`, `--json --watch`, and whatever is no terminal. One look at
 * a running foreman, printed. It loads neither Ink nor React.
 */
import type { ExitCode } from "../../runtime/protocol/error.ts";
import { usageError } from "../../runtime/protocol/error.ts";
import type { Graph, ThemeName } from "../../tui/theme/theme.ts";
import type { CommandContext } from "../command-context.ts";
import { type ClientContext, withListeningForeman } from "../with-foreman.ts";

/** What it needs of a context; the verb's own fits. */
export type OnceContext = ClientContext &
  Pick<CommandContext, "io" | "json" | "color"> & {
    readonly positionals: readonly string[];
    readonly values: {
      /** Goes on, an object a change; with `--json` only. */
      readonly watch?: boolean | undefined;
      /** Width of the text; the terminal's, or 80. */
      readonly columns?: number | undefined;
      readonly theme?: ThemeName | undefined;
      readonly graph?: Graph | undefined;
      /** Only bytes 0x20 to 0x7e; by default what the locale says. */
      readonly ascii?: boolean | undefined;
    };
  };

/**
 * @throws CcError with exit 3 without a foreman, with 2 where there is no such job, task or worker;
 * OutputClosed when the reader has gone.
 */
export async function printOnce(context: OnceContext): Promise<ExitCode> {
  const { json, values } = context;
  if (values.watch === true) {
    if (!json) throw watchWithoutJson();
    const { watchJson } = await import("./watch-json.ts");
    return await watchJson(context);
  }
  await withListeningForeman(context, async (connection) => {
    if (json) {
      const { printJsonOnce } = await import("./print-json.ts");
      await printJsonOnce(context, connection);
    } else {
      const { printTextOnce } = await import("./print-text.ts");
      await printTextOnce(context, connection);
    }
  });
  return 0;
}

const watchWithoutJson = () =>
  usageError(
    "bad_watch",
    "--watch prints one JSON object a change, so it goes with --json.",
    "cc top --json --watch, or cc top on a terminal",
  );
