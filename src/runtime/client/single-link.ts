/** A link over one connection that is not dialled again: for looking, and for a store without sockets. */
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";

export function linkOver(connection: Connection): Link {
  return {
    url: connection.url,
    run: (operation) => operation(connection),
    async followJobs(jobIds) {
      await connection.request({ type: "follow_jobs", job_ids: [...jobIds] });
    },
    close: () => connection.close(),
  };
}
