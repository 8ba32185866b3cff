/**
 * What `src/runtime/platform/failpoint.ts` is in the test build alone. `CC_FAILPOINT=NAME[:NTH][:ACTION]`
 * acts when this process comes by NAME for the NTH time (1): ACTION `kill` (the default) is SIGKILL,
 * `pause` SIGSTOP. Steps named "…-sent" and "…-acked" act once what was sent has left the process.
 */
import type { Failpoint } from "../../src/runtime/platform/failpoint.ts";

const [armedName = "", ...words] = (process.env["CC_FAILPOINT"] ?? "").split(":");
const action = words.includes("pause") ? "SIGSTOP" : "SIGKILL";
let passesLeft = Number(words.find((word) => /^\d+$/.test(word)) ?? 1);

export function failpoint(name: Failpoint): void {
  if (name !== armedName || passesLeft === 0 || --passesLeft > 0) return;
  const act = (): boolean => process.kill(process.pid, action);
  if (/-(sent|acked)$/.test(name)) setImmediate(act);
  else act();
}
