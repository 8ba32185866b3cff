/** The zsh script, in the terms of `_arguments`; calls meant for the C compiler go to zsh's own `_cc`. */
import type { Completes, DescribedOption, DescribedVerb } from "./described-verb.ts";

export function renderZsh(verbs: readonly DescribedVerb[]): string {
  const described = verbs.flatMap(({ words, summary }) =>
    words.map((word) => `    ${quote(`${word}:${summary}`)}`),
  );
  return `#compdef cc crowdcompute
# zsh completion of CrowdCompute; made by: cc completion zsh
_crowdcompute() {
  local -a verbs=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    _files
    return
  fi
  local verb=$words[2]
  words=("\${(@)words[2,-1]}")
  (( CURRENT-- ))
  case $verb in
${verbs.map(renderVerb).join("\n")}
    (*) _files ;;
  esac
}
if [[ \${funcstack[1]} == _crowdcompute ]]; then _crowdcompute "$@"
else compdef _crowdcompute cc crowdcompute; fi
`;
}

function renderVerb(verb: DescribedVerb): string {
  const rest = verb.takesCommand ? "'*:: :_normal'" : quote(`*: :${action(verb.positionals)}`);
  const positionals = verb.takesCommand ? [quote(`1: :${action(verb.positionals)}`), rest] : [rest];
  return `    (${verb.words.join("|")})
      _arguments -s ${[...verb.options.flatMap(renderOption), ...positionals].join(" \\\n        ")} ;;`;
}

function renderOption(option: DescribedOption): readonly string[] {
  const names = option.short === null ? [option.long] : [option.long, option.short];
  const exclusive = option.repeatable ? "*" : `(${names.join(" ")})`;
  return names.map((name) =>
    quote(
      `${exclusive}${name}${valueMark(option, name)}[${escapeText(option.description)}]${valueAction(option)}`,
    ),
  );
}

/** `--name=` takes its value in the same or the next word; `=-` only in the same. */
function valueMark({ value, valueIsOptional }: DescribedOption, name: string): string {
  if (value === null) return "";
  if (valueIsOptional) return "=-";
  return name.startsWith("--") ? "=" : "+";
}

function valueAction({ value, valueIsOptional }: DescribedOption): string {
  if (value === null) return "";
  return `${valueIsOptional ? "::" : ":"}value:${action(value)}`;
}

function action(completes: Completes): string {
  if (completes === "file") return "_files";
  if (completes === "folder") return "_files -/";
  return completes === "nothing" ? "" : `(${completes.join(" ")})`;
}

function escapeText(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
