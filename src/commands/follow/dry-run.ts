/** `cc submit --dry-run`: how many tasks there would be, and the first ten of them; nothing is sent. */
import { quoteWord } from "../../runtime/client/build-spec.ts";
import type { EncodedBatch } from "../../runtime/client/inputs/encode-inputs.ts";
import { safeLine } from "../../runtime/platform/safe-text.ts";
import { valueAt } from "../../runtime/protocol/columns.ts";
import { compileTemplate } from "../../runtime/protocol/command-template.ts";
import { decodeValue, VALUE_UNDEFINED, valueAsJson } from "../../runtime/protocol/value.ts";
import { JSON_SCHEMA_NAME } from "../../runtime/protocol/views.ts";
import { formatPlural } from "../../tui/text/amounts.ts";
import { inertJson } from "../inert-json.ts";
import type { SubmissionPlan, SubmitContext } from "./plan-submission.ts";

const TASKS_SHOWN = 10;

export async function dryRun(
  context: SubmitContext,
  plan: SubmissionPlan,
  batches: AsyncIterable<EncodedBatch>,
): Promise<void> {
  const shown: string[] = [];
  const describe = describerOf(plan);
  let count = 0;
  for await (const batch of batches) {
    for (let row = 0; row < batch.count && shown.length < TASKS_SHOWN; row++) {
      shown.push(describe(valueAt(batch.values, row), batch.firstIndex + row));
    }
    count += batch.count;
  }
  const { stdout } = context.io;
  if (context.json) {
    const report = { schema: JSON_SCHEMA_NAME, tasks: count, first: shown };
    await stdout.write(`${inertJson(report, stdout.isTerminal)}\n`);
    return;
  }
  const more = count > shown.length ? [`… ${count - shown.length} more`] : [];
  await stdout.write(
    `${[formatPlural(count, "task"), ...shown.map(safeLine), ...more].join("\n")}\n`,
  );
}

/** A command as it would be typed, or a function's input. */
function describerOf({
  work,
  shape,
}: SubmissionPlan): (input: Uint8Array, index: number) => string {
  if (work.kind === "function") {
    return (input) => (input[0] === VALUE_UNDEFINED ? "(no input)" : valueAsJson(input));
  }
  const expand = compileTemplate(work, shape);
  return (input, index) => {
    const { argv } = expand({ value: decodeValue(input), index, slot: 1 });
    const text = work.shell ? (argv[2] ?? "") : argv.map(quoteWord).join(" ");
    return work.stdin && !shape.none ? `${text} < input ${index}` : text;
  };
}
