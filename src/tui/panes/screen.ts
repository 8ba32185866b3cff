/**
 * The whole picture: header, the place shown, footer, and what lies over them. Exactly as many rows as the
 * terminal has, each exactly as wide; it is a function of the model and the theme, and draws the same for the
 * live monitor, `--once` and tests.
 */
import type { ScreenModel } from "../model/screen-model.ts";
import type { Overlay, Place } from "../navigation/view-state.ts";
import { asciiRow, fitCells } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import { centred, dimRows, drawOver } from "../widgets/compose.ts";
import { fitRows } from "../widgets/spans.ts";
import { footer, noticeFooter } from "./frame/footer.ts";
import { header } from "./frame/header.ts";
import { toastLine } from "./frame/toast-line.ts";
import { renderJob } from "./job/job.ts";
import { bodySize, breadthOf, COLUMNS_MIN, ROWS_MIN } from "./layout.ts";
import { renderLog } from "./log/log.ts";
import { isShownPlace, noticeOf } from "./notice/link-notices.ts";
import { noticeRows } from "./notice/notice.ts";
import { confirmBox } from "./overlay/confirm-box.ts";
import { fieldRows } from "./overlay/field-line.ts";
import { helpBox } from "./overlay/help.ts";
import { paletteBox } from "./overlay/palette-box.ts";
import { renderOverview } from "./overview/overview.ts";
import type { Pane } from "./pane.ts";
import { renderTask } from "./task/task.ts";
import { renderWorker } from "./worker/worker.ts";

const PLACES: Readonly<Record<Place["kind"], Pane<ScreenModel>>> = {
  overview: renderOverview,
  job: renderJob,
  task: renderTask,
  worker: renderWorker,
  log: renderLog,
};

export function renderScreen(model: ScreenModel, theme: Theme): string[] {
  const { columns, rows } = model.view;
  const drawn = fitRows(
    breadthOf(model.view) === "line" ? tooSmall(columns, rows) : framed(model, theme),
    columns,
    rows,
  );
  // Whatever a pane drew, with --ascii nothing else leaves.
  return theme.ascii ? drawn.map(asciiRow) : drawn;
}

function tooSmall(columns: number, rows: number): string[] {
  return [fitCells(`needs ${COLUMNS_MIN}x${ROWS_MIN}, is ${columns}x${rows}`, columns)];
}

function framed(model: ScreenModel, theme: Theme): string[] {
  const { view } = model;
  const { columns } = view;
  const notice = noticeOf(model);
  const shown =
    notice === null ? placeRows(model, theme) : noticeRows(notice, bodySize(view), theme);
  const body = withLines(shown, linesAbove(model, theme));
  const foot = notice === null ? footer : noticeFooter;
  const screen = [header(model, columns, theme), ...body, foot(model, columns, theme)];
  return view.overlay === null ? screen : withOverlay(screen, view.overlay, model, theme);
}

/** The place shown; what was seen last, dimmed, while nobody answers. */
function placeRows(model: ScreenModel, theme: Theme): string[] {
  const size = bodySize(model.view);
  const place = model.view.stack.at(-1)?.place;
  if (place === undefined) return fitRows([], size.width, size.height);
  const rows = fitRows(PLACES[place.kind](model, size, theme), size.width, size.height);
  const isOld = model.link.kind !== "live" && isShownPlace(place, model.shown);
  return isOld ? dimRows(rows, theme) : rows;
}

/** A field that is typed in, or what was just said, in the last rows of the body. */
function linesAbove(model: ScreenModel, theme: Theme): readonly string[] {
  const { overlay, toast, columns } = model.view;
  if (overlay?.kind === "filter" || overlay?.kind === "search")
    return fieldRows(overlay, model, columns, theme);
  return toast === null ? [] : [toastLine(toast, columns, theme)];
}

function withLines(rows: readonly string[], lines: readonly string[]): string[] {
  return [...rows.slice(0, Math.max(0, rows.length - lines.length)), ...lines].slice(
    0,
    rows.length,
  );
}

/** A box in the middle; header and footer stay as they are. */
function withOverlay(
  screen: readonly string[],
  overlay: Overlay,
  model: ScreenModel,
  theme: Theme,
): string[] {
  const { columns } = model.view;
  const body = screen.slice(1, -1);
  const above = overlayBox(overlay, model, body.length, theme);
  if (above === null) return [...screen];
  const spot = centred({ columns, rows: body.length }, above.width, above.rows.length);
  const [first = "", last = ""] = [screen[0], screen.at(-1)];
  return [first, ...drawOver(body, above.rows, spot, columns, theme), last];
}

function overlayBox(
  overlay: Overlay,
  model: ScreenModel,
  rowsMax: number,
  theme: Theme,
): { readonly rows: string[]; readonly width: number } | null {
  const { view } = model;
  const screen = view.stack.at(-1);
  switch (overlay.kind) {
    case "help":
      return screen === undefined
        ? null
        : helpBox(
            overlay,
            { screen, readOnly: view.readOnly, columns: view.columns, rowsMax },
            theme,
          );
    case "palette":
      return paletteBox(overlay, model, rowsMax, theme);
    case "confirm":
      return confirmBox(overlay.confirm, view.columns, rowsMax, theme);
    case "filter":
    case "search":
      return null;
  }
}
