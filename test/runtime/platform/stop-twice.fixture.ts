/** A program that reports its first stop signal and leaves the second to its default. */
import { watchStopSignals } from "../../../src/runtime/platform/shutdown.ts";

watchStopSignals({ onFirst: (signal) => process.stdout.write(`first ${signal}\n`) });
setInterval(() => {}, 1_000);
process.stdout.write("ready\n");
