/** The progress view of some jobs, kept coming. */
import type { Link } from "../../runtime/client/link.ts";
import type { ProgressView } from "../../runtime/protocol/views.ts";
import { followView, type ViewWatch } from "./follow-view.ts";

export function watchProgress(
  link: Link,
  jobIds: readonly number[],
  onView: (view: ProgressView) => void,
): ViewWatch {
  // The foreman writes views.ts shapes; they are only shown.
  return followView(link, { kind: "progress", job_ids: [...jobIds] }, (body) =>
    onView(body as ProgressView),
  );
}
