/** The way from the overview to the place shown, a word or two for each step. */
import type { ScreenModel } from "../../model/screen-model.ts";
import type { Place } from "../../navigation/view-state.ts";

const NAME_CHARACTERS_MAX = 60;

export function crumbsOf({ view, shown }: ScreenModel): readonly string[] {
  const places = view.stack.map(({ place }) => place);
  return places.map((place, at) => {
    const name = jobNameOf(place, shown);
    const isLast = at === places.length - 1;
    return isLast && name !== "" ? `${crumb(place)} ${name}` : crumb(place);
  });
}

function crumb(place: Place): string {
  switch (place.kind) {
    case "overview":
      return "overview";
    case "job":
      return `job ${place.jobId}`;
    case "task":
      return `task ${place.index}`;
    case "worker":
      return `worker ${place.workerId}`;
    case "log":
      return place.index === null ? "log of all tasks" : "log";
  }
}

function jobNameOf(place: Place, shown: ScreenModel["shown"]): string {
  if (place.kind !== "job" || shown?.kind !== "job") return "";
  const { job } = shown.body;
  return job.job_id === place.jobId ? job.name.slice(0, NAME_CHARACTERS_MAX) : "";
}
