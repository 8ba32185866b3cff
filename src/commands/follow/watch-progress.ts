/** Keeps a progress view of some jobs coming, over lost connections too, until it is stopped. */
import type { Link } from "../../runtime/client/link.ts";
import type { View } from "../../runtime/protocol/messages/client.ts";
import type { ProgressView } from "../../runtime/protocol/views.ts";

export interface ProgressWatch {
  stop(): void;
  /** Resolves with what ended the watching for good; never after `stop`. */
  readonly failed: Promise<unknown>;
}

export function watchProgress(
  link: Link,
  jobIds: readonly number[],
  onView: (view: ProgressView) => void,
): ProgressWatch {
  const stopped = Promise.withResolvers<"stopped">();
  const failed = Promise.withResolvers<unknown>();
  let isStopped = false;

  async function watch(): Promise<void> {
    while (!isStopped) {
      await link.run(async (connection) => {
        const view: View = { kind: "progress", job_ids: [...jobIds] };
        // The foreman writes views.ts shapes; they are only shown.
        const watching = await connection.watch(view, (body) => onView(body as ProgressView));
        await Promise.race([stopped.promise, connection.ended]);
        watching.stop();
      });
    }
  }

  watch().catch((thrown: unknown) => {
    if (!isStopped) failed.resolve(thrown);
  });
  return {
    stop() {
      isStopped = true;
      stopped.resolve("stopped");
    },
    failed: failed.promise,
  };
}
