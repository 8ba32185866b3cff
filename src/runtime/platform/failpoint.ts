/**
 * Named steps at which a fault test may kill or stop the process. Here they do nothing and nothing can
 * arm them; the second build of `scripts/build-binary.ts --failpoints` puts
 * `test/support/armed-failpoint.ts` in this file's place. Never decide anything by them.
 */

export type Failpoint =
  // The foreman: before the step, after the commit, after the message has left.
  | "submit-received"
  | "submit-committed"
  | "submit-acked"
  | "dispatch-committed"
  | "dispatch-sent"
  | "result-received"
  | "result-committed"
  | "result-acked"
  | "cancel-committed"
  | "output-written"
  | "output-whole"
  // The worker.
  | "task-ordered"
  | "result-kept"
  | "result-sent";

/** Does nothing. */
export function failpoint(_name: Failpoint): void {}
