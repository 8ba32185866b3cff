/**
 * The door to what the monitor's screens show: finds the builder for a view's kind. It must never do
 * more work for a list than what its window shows, except for sorting and filtering.
 */
import { CcError } from "../../../protocol/error.ts";
import type { View } from "../../../protocol/messages/client.ts";

/** The views that monitor-views.ts describes. */
export type MonitorView = Extract<
  View,
  { kind: "overview" | "job_monitor" | "task_monitor" | "worker_monitor" }
>;

export interface MonitorViews {
  /** @throws CcError `no_such_job`, `no_such_task`, `no_such_worker`, `bad_filter`. */
  build(view: MonitorView): Promise<object>;
}

type Builders = {
  readonly [Kind in MonitorView["kind"]]?: (
    view: Extract<MonitorView, { kind: Kind }>,
  ) => object | Promise<object>;
};

/** @param builders by kind of view. */
export function createMonitorViews(builders: Builders): MonitorViews {
  return {
    async build(view) {
      // The table pairs every kind with a builder of that very kind.
      const build = builders[view.kind] as ((view: MonitorView) => object) | undefined;
      if (build === undefined) {
        throw new CcError({
          code: "unknown_view",
          message: `This foreman has no view "${view.kind}".`,
          exitCode: 3,
        });
      }
      return build(view);
    },
  };
}
