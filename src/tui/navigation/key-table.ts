/**
 * Every key of the monitor, once: where it is valid, what it does and what the screens say about it.
 * Dispatch, the footer and the help are made from this table and from nothing else. In one place a key
 * stands for one command only; a command may be described differently in different panes.
 */
import { type PaneName, paneOf } from "./panes-of.ts";
import type { Place, ScreenState } from "./view-state.ts";

export const KEY_GROUPS = ["MOVE", "FIND", "ACT", "VIEW", "EVERYWHERE"] as const;
export type KeyGroup = (typeof KEY_GROUPS)[number];

export type CommandId =
  | "down"
  | "up"
  | "page-down"
  | "page-up"
  | "half-down"
  | "half-up"
  | "first"
  | "last"
  | "open"
  | "back"
  | "next-pane"
  | "previous-pane"
  | "pane-1"
  | "pane-2"
  | "pane-3"
  | "left"
  | "right"
  | "filter"
  | "search"
  | "log-filter"
  | "next-hit"
  | "previous-hit"
  | "next-error"
  | "previous-error"
  | "sort"
  | "reverse"
  | "mark"
  | "mark-all"
  | "palette"
  | "cancel"
  | "kill"
  | "retry"
  | "retry-task"
  | "pause"
  | "drain"
  | "raise"
  | "lower"
  | "undo"
  | "log"
  | "whole-log"
  | "worker"
  | "freeze"
  | "zoom"
  | "longer"
  | "shorter"
  | "earlier"
  | "later"
  | "copy"
  | "pager"
  | "follow"
  | "follow-toggle"
  | "attempt"
  | "streams"
  | "wrap"
  | "time"
  | "theme"
  | "redraw"
  | "help"
  | "quit"
  | "quit-now"
  | "suspend";

/** A place, or one pane of it. */
export type Where = Place["kind"] | `${Place["kind"]}/${PaneName}`;

export interface KeyBinding {
  readonly command: CommandId;
  /** As `keys.ts` names them; the first one is shown in the footer. */
  readonly keys: readonly string[];
  /** null: everywhere. */
  readonly where: readonly Where[] | null;
  readonly group: KeyGroup;
  /** For the help. */
  readonly help: string;
  /** A word or two for the footer; null: not shown there. */
  readonly label: string | null;
  /** Order in the footer: the smaller the more useful. */
  readonly rank: number;
}

const LISTS: readonly Where[] = ["overview", "job", "worker"];
const MARKABLE: readonly Where[] = [
  "overview/jobs",
  "overview/workers",
  "job/tasks",
  "worker/tasks",
];
const ALL: readonly Where[] = ["overview", "job", "worker", "task", "log"];

export const KEY_TABLE: readonly KeyBinding[] = [
  key("down", ["down", "j"], ALL, "MOVE", "down"),
  key("up", ["up", "k"], ALL, "MOVE", "up"),
  key("page-down", ["pagedown"], ALL, "MOVE", "a page down"),
  key("page-up", ["pageup"], ALL, "MOVE", "a page up"),
  key("half-down", ["ctrl-d"], ALL, "MOVE", "half a page down"),
  key("half-up", ["ctrl-u"], ALL, "MOVE", "half a page up"),
  key("first", ["g", "home"], ALL, "MOVE", "to the first"),
  key("last", ["G", "end"], [...LISTS, "task"], "MOVE", "to the last"),
  key("open", ["enter"], LISTS, "MOVE", "open", ["open", 1]),
  key("back", ["escape"], ["overview"], "MOVE", "clear the filter"),
  key("back", ["escape"], ["job", "worker", "task", "log"], "MOVE", "clear the filter, then back", [
    "back",
    15,
  ]),
  key("next-pane", ["tab"], LISTS, "MOVE", "next pane", ["pane", 50]),
  key("previous-pane", ["shift-tab"], LISTS, "MOVE", "previous pane"),
  key("pane-1", ["1"], LISTS, "MOVE", "first pane"),
  key("pane-2", ["2"], LISTS, "MOVE", "second pane"),
  key("pane-3", ["3"], LISTS, "MOVE", "third pane"),
  key("left", ["left"], LISTS, "MOVE", "columns to the left"),
  key("right", ["right"], LISTS, "MOVE", "columns to the right"),
  key("left", ["left"], ["log"], "MOVE", "half a screen to the left"),
  key("right", ["right"], ["log"], "MOVE", "half a screen to the right"),
  key("follow", ["f", "G", "end"], ["log"], "MOVE", "to the end, and follow", ["follow", 2]),

  key("filter", ["/"], LISTS, "FIND", "filter the list", ["filter", 10]),
  key("sort", ["s"], LISTS, "FIND", "sort by the next column", ["sort", 11]),
  key("reverse", ["S"], LISTS, "FIND", "sort the other way round"),
  key("mark", ["m"], MARKABLE, "FIND", "mark or unmark the row", ["mark", 45]),
  key("mark-all", ["M"], MARKABLE, "FIND", "mark all that the filter shows, or none"),
  key("search", ["/"], ["log"], "FIND", "search", ["search", 10]),
  key("log-filter", ["&"], ["log"], "FIND", "show only lines with these words", ["filter", 12]),
  key("next-hit", ["n"], ["log"], "FIND", "next hit", ["next hit", 11]),
  key("previous-hit", ["N"], ["log"], "FIND", "previous hit"),
  key("next-error", ["e"], ["log"], "FIND", "next line that looks like an error", ["error", 13]),
  key("previous-error", ["E"], ["log"], "FIND", "previous line that looks like an error"),

  key("cancel", ["c"], ["overview/jobs"], "ACT", "cancel the job, or the marked ones", [
    "cancel",
    20,
  ]),
  key("cancel", ["c"], ["job"], "ACT", "cancel the marked tasks, or the job", ["cancel", 22]),
  key("kill", ["x"], ["job/tasks", "worker/tasks"], "ACT", "kill the task, or the marked ones", [
    "kill",
    24,
  ]),
  key("kill", ["x"], ["task", "log"], "ACT", "kill the task", ["kill", 24]),
  key("retry", ["r"], ["overview/jobs", "job"], "ACT", "retry what failed of the job", [
    "retry failed",
    21,
  ]),
  key("retry-task", ["R"], ["job/tasks"], "ACT", "retry the task, or the marked ones", [
    "retry task",
    23,
  ]),
  key("retry-task", ["R"], ["worker/errors", "task", "log"], "ACT", "retry the task", [
    "retry task",
    23,
  ]),
  key("pause", ["p"], ["overview/jobs", "job"], "ACT", "pause or resume the job", ["pause", 25]),
  key(
    "pause",
    ["p"],
    ["overview/workers", "worker"],
    "ACT",
    "pause or resume the intake of the worker",
    ["pause intake", 26],
  ),
  key("drain", ["d"], ["overview/workers", "worker"], "ACT", "drain the worker, or keep it", [
    "drain",
    25,
  ]),
  key("raise", ["+", "="], ["overview/jobs", "job"], "ACT", "raise the priority"),
  key("lower", ["-"], ["overview/jobs", "job"], "ACT", "lower the priority"),
  key("undo", ["u"], null, "ACT", "undo the last pause or drain"),

  key("log", ["l"], ["overview/jobs"], "VIEW", "log of the newest failed task", ["log", 3]),
  key("log", ["l"], ["job", "worker", "task"], "VIEW", "log of the task", ["log", 3]),
  key("whole-log", ["L"], ["overview/jobs", "job", "task"], "VIEW", "log of the whole job"),
  key(
    "worker",
    ["W"],
    ["overview/workers", "job/tasks", "job/errors", "worker/tasks", "task", "log"],
    "VIEW",
    "the worker of it",
  ),
  key("freeze", ["space"], [...LISTS, "task"], "VIEW", "freeze the picture", ["freeze", 52]),
  key("follow-toggle", ["space"], ["log"], "VIEW", "pause, or follow again"),
  key("zoom", ["z"], LISTS, "VIEW", "give the pane the whole screen", ["zoom", 51]),
  key("longer", ["<"], LISTS, "VIEW", "charts reach further back: 2m 10m 1h"),
  key("shorter", [">"], LISTS, "VIEW", "charts are finer: 1h 10m 2m"),
  key("earlier", ["["], LISTS, "VIEW", "charts end earlier"),
  key("later", ["]"], LISTS, "VIEW", "charts end later, or now"),
  key("attempt", ["a"], ["log"], "VIEW", "log of another attempt", ["attempt", 30]),
  key("streams", ["o"], ["log"], "VIEW", "stdout, stderr or both", ["stream", 31]),
  key("wrap", ["w"], ["log"], "VIEW", "wrap long lines", ["wrap", 32]),
  key("time", ["t"], ["log"], "VIEW", "show when it was printed", ["time", 33]),
  key("copy", ["y"], ALL, "VIEW", "copy the id"),
  key("pager", ["O"], ALL, "VIEW", "read it in $PAGER"),

  // First: a help that is cut off must still say how to leave.
  key("quit", ["q"], null, "EVERYWHERE", "quit"),
  key("quit-now", ["ctrl-c"], null, "EVERYWHERE", "quit, also out of a text field"),
  key("palette", [":"], null, "EVERYWHERE", "type a command", ["command", 70]),
  key("theme", ["T"], null, "EVERYWHERE", "next colour theme"),
  key("redraw", ["ctrl-l"], null, "EVERYWHERE", "draw anew"),
  key("suspend", ["ctrl-z"], null, "EVERYWHERE", "suspend"),
  key("help", ["?"], null, "EVERYWHERE", "all keys", ["all keys", 99]),
];

function key(
  command: CommandId,
  keys: readonly string[],
  where: readonly Where[] | null,
  group: KeyGroup,
  help: string,
  footer: readonly [label: string, rank: number] | null = null,
): KeyBinding {
  return {
    command,
    keys,
    where,
    group,
    help,
    label: footer?.[0] ?? null,
    rank: footer?.[1] ?? 100,
  };
}

/** Whether the binding is valid in this pane of this place. */
export function isValidIn(binding: KeyBinding, place: Place["kind"], pane: PaneName): boolean {
  const { where } = binding;
  return where === null || where.includes(place) || where.includes(`${place}/${pane}`);
}

/** What the key does here; null: nothing. */
export function bindingOf(keyName: string, screen: ScreenState): KeyBinding | null {
  const pane = paneOf(screen);
  return (
    KEY_TABLE.find(
      (binding) => binding.keys.includes(keyName) && isValidIn(binding, screen.place.kind, pane),
    ) ?? null
  );
}

/** Bindings of a key that is valid in other panes or places only. */
export const bindingsElsewhere = (keyName: string): readonly KeyBinding[] =>
  KEY_TABLE.filter((binding) => binding.keys.includes(keyName));

/** `--read-only` hides what changes something at the foreman. */
export const isAllowed = (binding: KeyBinding, readOnly: boolean): boolean =>
  !(readOnly && binding.group === "ACT");

/** Bindings valid here, in the order of the table. */
export function bindingsHere(screen: ScreenState, readOnly: boolean): readonly KeyBinding[] {
  const pane = paneOf(screen);
  return KEY_TABLE.filter(
    (binding) => isValidIn(binding, screen.place.kind, pane) && isAllowed(binding, readOnly),
  );
}

const LABELS: Readonly<Record<string, string>> = {
  up: "Up",
  down: "Dn",
  left: "Left",
  right: "Right",
  pageup: "PgUp",
  pagedown: "PgDn",
  home: "Home",
  end: "End",
  enter: "Enter",
  escape: "Esc",
  tab: "Tab",
  "shift-tab": "Shift-Tab",
  space: "space",
};

/** How a key is written on screens: `Enter`, `PgDn`, `Ctrl-L`, `j`. */
export function keyLabel(keyName: string): string {
  const ctrl = /^ctrl-(.)$/.exec(keyName);
  if (ctrl?.[1] !== undefined) return `Ctrl-${ctrl[1].toUpperCase()}`;
  return LABELS[keyName] ?? keyName;
}
