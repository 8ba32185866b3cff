/** The fish script: one `complete` line an option; files stay offered where a C compiler may be meant. */
import type { Completes, DescribedOption, DescribedVerb } from "./described-verb.ts";

export function renderFish(verbs: readonly DescribedVerb[]): string {
  const lines = ["cc", "crowdcompute"].flatMap((program) => [
    ...verbs.flatMap(({ words, summary }) =>
      words.map(
        (word) =>
          `complete -c ${program} -n __crowdcompute_needs_verb -a ${word} -d ${quote(summary)}`,
      ),
    ),
    ...verbs.flatMap((verb) => renderVerb(program, verb)),
  ]);
  return `# fish completion of CrowdCompute; made by: cc completion fish
function __crowdcompute_needs_verb
    test (count (commandline -opc)) -eq 1
end
function __crowdcompute_verb_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv
end
${lines.join("\n")}
`;
}

function renderVerb(program: string, verb: DescribedVerb): readonly string[] {
  const start = `complete -c ${program} -n '__crowdcompute_verb_is ${verb.words.join(" ")}'`;
  return [
    ...verb.options.map((option) => `${start} ${renderOption(option)}`),
    ...renderPositionals(start, verb),
  ];
}

function renderOption(option: DescribedOption): string {
  const parts = [`-l ${option.long.slice(2)}`];
  if (option.short !== null) parts.push(`-s ${option.short.slice(1)}`);
  if (option.value !== null && !option.valueIsOptional) parts.push(...valueParts(option.value));
  return [...parts, `-d ${quote(option.description)}`].join(" ");
}

function valueParts(completes: Completes): readonly string[] {
  if (completes === "file") return ["-r -F"];
  if (completes === "folder") return ["-x -a '(__fish_complete_directories)'"];
  return completes === "nothing" ? ["-x"] : [`-x -a ${quote(completes.join(" "))}`];
}

function renderPositionals(start: string, verb: DescribedVerb): readonly string[] {
  if (verb.takesCommand || verb.positionals === "file") return [];
  if (verb.positionals === "folder") return [`${start} -f -a '(__fish_complete_directories)'`];
  return verb.positionals === "nothing"
    ? [`${start} -f`]
    : [`${start} -f -a ${quote(verb.positionals.join(" "))}`];
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
