/** The log of a daemon as its options ask for it, on stderr: for people on a terminal, else for machines. */
import { systemClock } from "../../runtime/platform/clock.ts";
import { createLogger, type Logger, type LogLevel } from "../../runtime/platform/logger.ts";
import type { CommandContext } from "../command-context.ts";

type Context = Pick<CommandContext, "io" | "quiet"> & {
  readonly values: {
    readonly logLevel: LogLevel;
    readonly logFormat?: "pretty" | "json" | undefined;
  };
};

export function createDaemonLogger(context: Context): Logger {
  const { values, io } = context;
  return createLogger({
    level: daemonLogLevel(context),
    format: values.logFormat ?? (io.stderr.isTerminal ? "pretty" : "json"),
    clock: systemClock,
    write: (line) => void io.stderr.write(line),
  });
}

/** `--quiet` leaves warnings and errors, whatever else was asked for. */
export function daemonLogLevel({ values, quiet }: Context): LogLevel {
  return quiet && values.logLevel !== "error" ? "warn" : values.logLevel;
}
