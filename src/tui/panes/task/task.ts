/** A task between header and footer: the part of its text that is scrolled to, and below it which part. */
import type { TaskMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ScreenModel } from "../../model/screen-model.ts";
import { formatExactCount } from "../../text/amounts.ts";
import type { Theme } from "../../theme/theme.ts";
import { blankRows, fitRows, paintRow, plain, span } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";
import { taskText } from "./task-text.ts";

export function renderTask({ shown, view }: ScreenModel, size: Size, theme: Theme): string[] {
  const { width, height } = size;
  if (shown?.kind !== "task" || height <= 0) return blankRows(width, height);
  const text = taskText(shown.body, width, theme);
  const room = height - 1;
  const last = Math.max(0, text.length - room);
  const top = Math.min(Math.max(0, view.stack.at(-1)?.textTop ?? 0), last);
  return [
    ...fitRows(text.slice(top), width, room),
    positionRow(top, room, text.length, width, theme),
  ];
}

/** Rows that a task's text has at this width: how far it can be scrolled. */
export const taskTextRows = (body: TaskMonitorView, width: number, theme: Theme): number =>
  taskText(body, width, theme).length;

function positionRow(top: number, room: number, all: number, width: number, theme: Theme): string {
  if (all <= room) return paintRow(theme, width, []);
  const last = Math.min(all, top + room);
  const rest = all - last;
  const more = rest > 0 ? `.. ${formatExactCount(rest)} more below` : "the end";
  const place = `${formatExactCount(top + 1)}-${formatExactCount(last)}/${formatExactCount(all)}`;
  return paintRow(theme, width, [plain("   "), span("dim", `${more}   ${place}`)]);
}
