/**
 * A log between header and footer: its lines and, in the last row, whether they follow. The model holds what
 * streams and filter let through, from the top line on; this only draws it.
 */
import type { ScreenModel } from "../../model/screen-model.ts";
import { createLogState } from "../../navigation/initial-view.ts";
import type { Theme } from "../../theme/theme.ts";
import { fitRows, paintRow, plain } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";
import { logRows } from "./log-rows.ts";
import { emptyLog, logStatus } from "./log-status.ts";

export function renderLog({ view, log }: ScreenModel, size: Size, theme: Theme): string[] {
  const { width } = size;
  const height = Math.max(0, size.height - 1);
  const screen = view.stack.at(-1);
  const state = screen?.log ?? FRESH;
  const last = log === null ? [] : [logStatus(log, state, width, theme)];
  if (log === null || log.lines.length === 0) {
    const told = [[], ...emptyLog(log, state, theme)];
    const rows = told.map((sentence) => paintRow(theme, width, [plain("   "), ...sentence]));
    return fitRows([...fitRows(rows, width, height), ...last], width, size.height);
  }
  const drawing = {
    log: state,
    hitRow: log.hitRow ?? null,
    hasTasks: screen?.place.kind === "log" && screen.place.index === null,
    width,
    height,
  };
  const rows = fitRows(logRows(log.lines, drawing, theme), width, height);
  return fitRows([...rows, ...last], width, size.height);
}

const FRESH = createLogState();
