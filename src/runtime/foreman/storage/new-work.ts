/** Which events ask the store for room that a full disk has not: all that begins something new. */
import type { ReplyToken } from "../../scheduler/foreman/events.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { isKnownSubmission } from "../../scheduler/foreman/selectors.ts";
import type { UnstampedEvent } from "../pump.ts";

export interface NewWork {
  readonly token: ReplyToken;
  /** Of its inputs. */
  readonly byteCount: number;
}

/** null: the event is none, such as a result, a cancel, or a submission that is here already. */
export function newWorkOf(state: ForemanState, event: UnstampedEvent): NewWork | null {
  switch (event.type) {
    case "jobSubmitted":
      if (isKnownSubmission(state, event.owner, event.submissionId)) return null;
      return { token: event.token, byteCount: event.values.data.byteLength };
    case "tasksSubmitted":
      return { token: event.token, byteCount: event.values.data.byteLength };
    case "retryRequested":
      return { token: event.token, byteCount: 0 };
    default:
      return null;
  }
}
