/**
 * The command palette (`:`): a command and what it is about, completed from what is on the screen. Each
 * command stands in one table; running it does the same as its key.
 */
import { refuse, withOverlay } from "./change.ts";
import type { KeyName } from "./keys.ts";
import { type NavContext, type NavStep, stay } from "./nav-types.ts";
import { PALETTE_COMMANDS, type PaletteCommand, readWordAlone } from "./palette-commands.ts";
import { editField } from "./text-field.ts";
import type { Overlay, ViewState } from "./view-state.ts";

type Palette = Extract<Overlay, { readonly kind: "palette" }>;

export interface PaletteChoice {
  /** What the field holds when this is taken. */
  readonly text: string;
  readonly help: string;
}

/** As many as are useful to look at. */
const CHOICES_MAX = 8;

export const openPalette = (state: ViewState): ViewState =>
  withOverlay(state, { kind: "palette", text: "", cursor: 0, choice: 0 });

/** What the text so far may become, the likeliest first. */
export function paletteChoices(
  text: string,
  state: ViewState,
  context: Pick<NavContext, "shown">,
): readonly PaletteChoice[] {
  const { word, rest } = splitCommand(text);
  const commands = commandsFor(state);
  if (rest === null) {
    const fitting = commands.filter(({ name }) => name.startsWith(word));
    const choices = fitting.map(({ name, argument, help }) => ({
      text: argument === null ? name : `${name} `,
      help: argument === null ? help : `${argument}: ${help}`,
    }));
    return [...idChoices(word, state, context), ...choices].slice(0, CHOICES_MAX);
  }
  const command = commands.find(({ name }) => name === word);
  if (command === undefined) return [];
  return command
    .complete(state, context)
    .filter((value) => value.toLowerCase().startsWith(rest.toLowerCase()))
    .slice(0, CHOICES_MAX)
    .map((value) => ({ text: `${word} ${value}`, help: command.help }));
}

const commandsFor = (state: ViewState): readonly PaletteCommand[] =>
  PALETTE_COMMANDS.filter(({ isAction }) => !(isAction && state.readOnly));

/** A number alone is a job or a task. */
function idChoices(
  word: string,
  state: ViewState,
  context: Pick<NavContext, "shown">,
): readonly PaletteChoice[] {
  if (!/^\d/.test(word)) return [];
  const ids = PALETTE_COMMANDS.filter(({ name }) => name === "job" || name === "task").flatMap(
    (command) => command.complete(state, context),
  );
  return ids
    .filter((id) => id.startsWith(word))
    .slice(0, CHOICES_MAX)
    .map((id) => ({ text: id, help: id.includes("/") ? "open the task" : "open the job" }));
}

function splitCommand(text: string): { readonly word: string; readonly rest: string | null } {
  const trimmed = text.replace(/^[\s:]+/, "");
  const match = /^(\S*)(\s+)?(.*)$/s.exec(trimmed);
  const word = (match?.[1] ?? "").toLowerCase();
  return { word, rest: match?.[2] === undefined ? null : (match[3] ?? "") };
}

export function keyInPalette(
  state: ViewState,
  palette: Palette,
  key: KeyName,
  context: NavContext,
): NavStep {
  const choices = paletteChoices(palette.text, state, context);
  const chosen = choices[Math.min(palette.choice, choices.length - 1)];
  switch (key) {
    case "escape":
      return stay(withOverlay(state, null));
    case "up":
    case "down": {
      const by = key === "up" ? -1 : 1;
      const choice = Math.max(0, Math.min(palette.choice + by, choices.length - 1));
      return stay(withOverlay(state, { ...palette, choice }));
    }
    case "tab": {
      const text = chosen?.text ?? palette.text;
      return stay(withOverlay(state, { ...palette, text, cursor: text.length, choice: 0 }));
    }
    case "enter":
      return enter(state, palette, chosen, context);
    default:
      return stay(type(state, palette, key));
  }
}

function type(state: ViewState, palette: Palette, key: KeyName): ViewState {
  // Backspace out of the empty field closes it, as in other programs.
  if (key === "backspace" && palette.text === "") return withOverlay(state, null);
  const field = editField(palette, key);
  return field === null ? state : withOverlay(state, { ...palette, ...field, choice: 0 });
}

/** What stands there, when it is a command; else what is chosen, when that is one. */
function enter(
  state: ViewState,
  palette: Palette,
  chosen: PaletteChoice | undefined,
  context: NavContext,
): NavStep {
  const closed = withOverlay(state, null);
  const typed = palette.text.trim();
  if (typed === "" && palette.choice === 0) return stay(closed);
  const isChosen = palette.choice > 0 || !isCommand(typed);
  const text = isChosen && chosen !== undefined ? chosen.text : typed;
  // The chosen one wants something more: that is typed next.
  if (text.endsWith(" ")) {
    return stay(withOverlay(state, { ...palette, text, cursor: text.length, choice: 0 }));
  }
  return runPalette(closed, text, context);
}

function isCommand(text: string): boolean {
  const { word, rest } = splitCommand(text);
  const command = PALETTE_COMMANDS.find(({ name, synonyms }) =>
    [name, ...(synonyms ?? [])].includes(word),
  );
  if (command === undefined) return readWordAlone(text) !== null;
  return command.argument === null || command.isArgumentOptional || (rest ?? "") !== "";
}

/** Does what the text says, or says what is wrong with it. */
function runPalette(state: ViewState, text: string, context: NavContext): NavStep {
  const { word, rest } = splitCommand(text);
  const argument = (rest ?? "").trim();
  const command = PALETTE_COMMANDS.find(({ name, synonyms }) =>
    [name, ...(synonyms ?? [])].includes(word),
  );
  if (command === undefined) {
    const alone = readWordAlone(text.trim());
    if (alone !== null) return alone(state, context);
    return refuse(state, `no command "${word}" (: and Tab for all)`, context.nowMs);
  }
  if (command.isAction && state.readOnly) {
    return refuse(state, `read-only: ${command.name} is off`, context.nowMs);
  }
  if (argument === "" && command.argument !== null && !command.isArgumentOptional) {
    return refuse(state, `${command.name} needs ${command.argument}`, context.nowMs);
  }
  return command.run(state, context, argument);
}
