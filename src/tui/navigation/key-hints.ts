/**
 * What the screens say about keys: the footer (valid here, the most useful first) and the help (all of this
 * view, searchable). Both are made from the key table.
 */
import type { FocusBody } from "../feed.ts";
import { bindingsHere, type CommandId, KEY_GROUPS, type KeyGroup, keyLabel } from "./key-table.ts";
import { offersFor } from "./pointless.ts";
import type { Overlay, ScreenState, ViewState } from "./view-state.ts";

export interface KeyHint {
  readonly keys: string;
  readonly label: string;
}

/**
 * For the footer: as many from the front as fit; the last one (`?`) always. What cannot be done to what is
 * shown under the cursor is left out.
 */
export function footerHints(view: ViewState, shown: FocusBody | null = null): readonly KeyHint[] {
  if (view.overlay !== null) return overlayHints(view.overlay);
  const screen = view.stack.at(-1);
  if (screen === undefined) return [];
  const offers = offersFor(screen, shown);
  return bindingsHere(screen, view.readOnly)
    .flatMap(({ command, keys, label: usual, rank }) => {
      const offered = offers[command];
      const label = offered === undefined ? usual : offered;
      return label === null ? [] : [{ keys: keyLabel(keys[0] ?? ""), label, rank }];
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ keys, label }) => ({ keys, label }));
}

function overlayHints(overlay: Overlay): readonly KeyHint[] {
  switch (overlay.kind) {
    case "filter":
      return [hint("Enter", "keep"), hint("Esc", "as before"), hint("Ctrl-U", "empty")];
    case "search":
      return [hint("Enter", "next hit"), hint("Esc", "as before"), hint("Ctrl-U", "empty")];
    case "palette":
      return [
        hint("Enter", "do it"),
        hint("Tab", "complete"),
        hint("Up Dn", "choose"),
        hint("Esc", "close"),
      ];
    case "help":
      return [hint("type", "search"), hint("Up Dn", "scroll"), hint("Esc", "close")];
    case "confirm":
      return overlay.confirm.mustType !== null && overlay.confirm.typed !== overlay.confirm.mustType
        ? [hint(overlay.confirm.mustType, "type it, then y"), hint("n Esc", "no")]
        : [hint("y", "yes"), hint("n Enter Esc", "no")];
  }
}

const hint = (keys: string, label: string): KeyHint => ({ keys, label });

export interface HelpEntry {
  readonly command: CommandId;
  readonly group: KeyGroup;
  /** All keys of it, as they are written: `Dn j`. */
  readonly keys: string;
  readonly text: string;
}

/** Every key of this view in the order of the groups; `query` keeps those that say so. */
export function helpEntries(
  screen: ScreenState,
  readOnly: boolean,
  query = "",
): readonly HelpEntry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const entries = bindingsHere(screen, readOnly).map((binding) => ({
    command: binding.command,
    group: binding.group,
    keys: binding.keys.map(keyLabel).join(" "),
    text: binding.help,
  }));
  const matching = entries.filter(({ group, keys, text }) => {
    const whole = `${group} ${keys} ${text}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
  return KEY_GROUPS.flatMap((group) => matching.filter((entry) => entry.group === group));
}
