/**
 * `cc top --json --watch`: one object a change, for as long as somebody reads. A foreman that breaks off is
 * said on stderr and waited for; a reader that goes away ends it quietly, also while nothing changes.
 */
import { systemClock } from "../../runtime/platform/clock.ts";
import { CcError } from "../../runtime/protocol/error.ts";
import { OutputClosed } from "../command-context.ts";
import { followView } from "../follow/follow-view.ts";
import { openFollowingLink } from "../follow/following-link.ts";
import { errorAsJson } from "../report-error.ts";
import { noForeman } from "../with-foreman.ts";
import { viewOfFocus } from "./focus-view.ts";
import { createNewest, type Newest } from "./newest.ts";
import { jsonFocus, jsonLine } from "./print-json.ts";
import type { OnceContext } from "./print-once.ts";

const STDOUT = 1;
const READER_CHECK_MS = 500;

/** @throws OutputClosed when the reader has gone; CcError what ended the looking for good. */
export async function watchJson(context: OnceContext): Promise<never> {
  const { stdout, stderr } = context.io;
  const link = await openFollowingLink(context, {
    onChange: (isUp) => {
      if (!isUp) void stderr.write(errorAsJson(brokeOff())).catch(() => undefined);
    },
  });
  if (link === null) throw noForeman();
  const newest = createNewest<object>();
  const stopReader = await watchReader(context, newest);
  try {
    const focus = await link.run((connection) => jsonFocus(context, connection));
    // The foreman writes the shapes of monitor-views.ts; they are only shown.
    const watching = followView(link, viewOfFocus(focus), (body) => newest.put(body as object));
    void watching.failed.then((error) => newest.fail(error));
    for (;;) await stdout.write(jsonLine(context, focus, await newest.take()));
  } finally {
    stopReader();
    link.close();
  }
}

async function watchReader({ io }: OnceContext, newest: Newest<object>): Promise<() => void> {
  const onClosed = () => newest.fail(new OutputClosed());
  io.stdout.closed.addEventListener("abort", onClosed);
  const { hasReader } = await import("../../runtime/platform/pipe-reader.ts");
  let isStopped = false;
  const look = (): void => {
    if (isStopped) return;
    if (hasReader(STDOUT)) systemClock.setTimer(READER_CHECK_MS, look, { holdsProcess: false });
    else onClosed();
  };
  look();
  return () => {
    isStopped = true;
    io.stdout.closed.removeEventListener("abort", onClosed);
  };
}

const brokeOff = (): CcError =>
  new CcError({
    code: "foreman_lost",
    message: "The foreman broke off; looking again as soon as it is back.",
    retryable: true,
    exitCode: 3,
  });
