/** Keeps a progress view of some jobs coming, over lost connections too, until it is stopped. */
import type { Link } from "../../runtime/client/link.ts";
import type { View } from "../../runtime/protocol/messages/client.ts";
import type { ProgressView } from "../../runtime/protocol/views.ts";

export function watchProgress(
  link: Link,
  jobIds: readonly number[],
  onView: (view: ProgressView) => void,
): { stop(): void } {
  const stopped = Promise.withResolvers<"stopped">();
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

  // Progress is an extra: what ends it ends the reading of results too, and is said there.
  watch().catch(() => {});
  return {
    stop() {
      isStopped = true;
      stopped.resolve("stopped");
    },
  };
}
