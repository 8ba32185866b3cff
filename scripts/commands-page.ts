/** Writes `docs/commands.md` from the option tables: the same words as `--help`, in a page one can search. */
import { allCommands } from "../src/commands/dispatch.ts";
import { describeOption, optionLabel, optionSections } from "../src/commands/help.ts";
import { environmentNameOf, type VerbTable } from "../src/commands/option-table.ts";

const INTRODUCTION = `# Commands

Generated from the option tables by \`npm run generate\`; \`cc VERB --help\` prints the same.

The program is called \`cc\`, and \`crowdcompute\` under its second name. A call that is meant for the C compiler (a first word that begins with a single dash or \`@\`, or a file that is neither TypeScript nor JavaScript) is handed on to the next \`cc\` on PATH; the name \`crowdcompute\` never does that.

## Where values come from

A flag beats the job file's \`options\`, which beat the environment, which beats the configuration file, which beats the default.

- **Environment.** Connection and daemon options only: \`CC_MAX_MEMORY=70\` is \`--max-memory 70\`. What may be repeated is separated by commas. Inputs and job options never come from it.
- **\`~/.config/crowdcompute/config.json\`** (or \`$XDG_CONFIG_HOME/crowdcompute/config.json\`, or \`--config FILE\`) has four sections: \`{"connection": {"foreman": "ws://…"}, "foreman": {"port": 9000}, "worker": {"slots": 4}, "job": {"retries": 2}}\`. Names are those of the flags in camelCase.
- **\`./crowdcompute.json\`** holds job options only, without sections: \`{"queue": "math", "retries": 2}\`. It can set no address, key, store or sandbox.

Durations have a unit (\`250ms\`, \`30s\`, \`5m\`, \`2h\`, \`1d\`, \`1h30m\`), sizes too (\`512M\`, \`4G\`, 1024-based). \`cc doctor\` prints where each value came from.
`;

export function renderCommandsPage(): string {
  const tables = allCommands().map(({ table }) => table);
  const contents = tables.map(({ verb, summary }) => `- [\`cc ${verb}\`](#cc-${verb}): ${summary}`);
  return `${[INTRODUCTION.trimEnd(), `## Verbs\n\n${contents.join("\n")}`, ...tables.map(renderVerb)].join("\n\n")}\n`;
}

function renderVerb(table: VerbTable): string {
  const synonyms = table.synonyms?.length
    ? ` Also: ${table.synonyms.map((verb) => `\`cc ${verb}\``).join(", ")}.`
    : "";
  return [
    `### cc ${table.verb}`,
    `${capital(table.summary)}.${synonyms}`,
    fence(table.usage.map((line) => `cc ${line}`)),
    ...optionSections(table).map(({ title, options }) => {
      const rows = options.map(
        (option) =>
          `| \`${escapeCell(optionLabel(option).trim())}\` | ${escapeCell(describeOption(option[1]))}${environmentMark(option)} |`,
      );
      return [`| ${title} | |`, "|---|---|", ...rows].join("\n");
    }),
    fence(table.examples.flatMap(({ line, does }) => [`# ${does}`, line])),
    ...(table.notes ?? []),
  ].join("\n\n");
}

function environmentMark([key, spec]: Parameters<typeof optionLabel>[0]): string {
  return spec.scope === "connection" || spec.scope === "daemon"
    ? ` · \`${environmentNameOf(key)}\``
    : "";
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A bar would end the cell, and an angle bracket begin a tag. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function fence(lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join("\n")}\n\`\`\``;
}
