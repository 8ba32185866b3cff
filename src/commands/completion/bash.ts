/** The bash script: one function; it leaves calls meant for the C compiler to bash's own completion. */
import type { Completes, DescribedOption, DescribedVerb } from "./described-verb.ts";

export function renderBash(verbs: readonly DescribedVerb[]): string {
  const words = verbs.flatMap((verb) => verb.words);
  return `# bash completion of CrowdCompute; made by: cc completion bash
_crowdcompute() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  local -a options=() i
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '--help --version' -- "$current"))
    else COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$current") $(compgen -f -- "$current")); fi
    return
  fi
  if [[ $current == '=' ]]; then current=; fi
  if [[ $previous == '=' ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for (( i = 2; i < COMP_CWORD; i++ )); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then compopt -o default; return; fi
  done
  case $verb in
${verbs.map(renderVerb).join("\n")}
    *) compopt -o default ;;
  esac
}
complete -F _crowdcompute cc crowdcompute
`;
}

function renderVerb(verb: DescribedVerb): string {
  const valued = verb.options.filter(
    ({ value, valueIsOptional }) => value !== null && !valueIsOptional,
  );
  const flags = verb.options.flatMap(({ long, short }) =>
    short === null ? [long] : [long, short],
  );
  return `    ${verb.words.join("|")})
      case $previous in
${valued.map((option) => `        ${caseLabel(option)}) ${complete(option.value ?? "nothing")}; return ;;`).join("\n")}
      esac
      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '${flags.join(" ")}' -- "$current"))
      else ${complete(verb.positionals)}; fi ;;`;
}

function caseLabel({ long, short }: DescribedOption): string {
  return short === null ? long : `${long}|${short}`;
}

function complete(completes: Completes): string {
  if (completes === "file") return `compopt -o filenames; COMPREPLY=($(compgen -f -- "$current"))`;
  if (completes === "folder")
    return `compopt -o filenames; COMPREPLY=($(compgen -d -- "$current"))`;
  if (completes === "nothing") return ":";
  return `COMPREPLY=($(compgen -W '${completes.join(" ")}' -- "$current"))`;
}
