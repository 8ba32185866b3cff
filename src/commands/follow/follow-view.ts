/** Keeps a view coming over a link, which gives up after a while, until it is stopped; for ever is client/watch-view.ts. */
import type { Link } from "../../runtime/client/link.ts";
import type { View } from "../../runtime/protocol/messages/client.ts";

export interface ViewWatch {
  stop(): void;
  /** Resolves with what ended the watching for good; never after `stop`. */
  readonly failed: Promise<unknown>;
}

export function followView(link: Link, view: View, onBody: (body: unknown) => void): ViewWatch {
  const stopped = Promise.withResolvers<"stopped">();
  const failed = Promise.withResolvers<unknown>();
  let isStopped = false;

  async function watch(): Promise<void> {
    while (!isStopped) {
      await link.run(async (connection) => {
        const watching = await connection.watch(view, onBody);
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
