/** The question before something is changed: object, effect, the same as a verb, and No as the default. */
import type { ConfirmState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import { wrapWords } from "../../text/wrap.ts";
import type { Theme } from "../../theme/theme.ts";
import { box } from "../../widgets/compose.ts";
import { paintRow, plain, span } from "../../widgets/spans.ts";
import { textField } from "../../widgets/text-field.ts";

const WIDTH_MAX = 72;

export function confirmBox(
  confirm: ConfirmState,
  columns: number,
  rowsMax: number,
  theme: Theme,
): { readonly rows: string[]; readonly width: number } {
  const width = Math.min(columns - 2, WIDTH_MAX);
  const inner = width - 2;
  const question = wrapWords(inert(confirm.question, { ascii: theme.ascii }), inner - 2).map(
    (line) => paintRow(theme, inner, [plain(" "), span("strong", line)]),
  );
  const verb =
    confirm.verb == null
      ? []
      : [
          paintRow(theme, inner, [
            span("dim", ` as a command: ${inert(confirm.verb, { ascii: theme.ascii })}`),
          ]),
        ];
  const blank = " ".repeat(inner);
  const answer = answerRow(confirm, inner, theme);
  // The question and the answer are never left out.
  const spare = rowsMax - 2 - question.length - 1;
  const between = spare >= 3 ? [...verb, blank] : spare >= 1 ? [blank] : [];
  const before = spare >= 4 ? [blank] : [];
  const rows = [...before, ...question.slice(0, Math.max(1, rowsMax - 3)), ...between, answer];
  return {
    rows: box({ title: "Are you sure?", end: "", foot: "", rows, width }, theme),
    width,
  };
}

function answerRow({ mustType, typed }: ConfirmState, width: number, theme: Theme): string {
  if (mustType === null || typed === mustType)
    return paintRow(theme, width, [
      span("strong", " [y/N]  "),
      span("key", "y"),
      plain(" yes   "),
      span("key", "N"),
      plain(" no (also Enter, Esc)"),
    ]);
  const prompt = ` type ${inert(mustType, { ascii: theme.ascii })}, then y: `;
  return textField({ prompt, text: typed, cursor: typed.length, end: [] }, width, theme);
}
