/** Ctrl-Z: stops the whole job, as the terminal itself would have done, and waits until it goes on. */

/** Where nobody can send it on (no job control), the system does not stop it: go on after so long. */
const NOT_STOPPED_MS = 250;

/** `others` are our listeners for SIGTSTP, which keep the signal from doing what it is for. */
export async function stopUntilContinued(): Promise<void> {
  const listeners = process.listeners("SIGTSTP");
  process.removeAllListeners("SIGTSTP");
  const continued = Promise.withResolvers<void>();
  const goOn = (): void => continued.resolve();
  process.once("SIGCONT", goOn);
  const timer = setTimeout(goOn, NOT_STOPPED_MS);
  process.kill(0, "SIGTSTP");
  await continued.promise;
  clearTimeout(timer);
  process.off("SIGCONT", goOn);
  for (const listener of listeners) process.on("SIGTSTP", listener);
}
