/** The job files of the journeys, as a person has them in the folder before a session begins. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** One of 10,000 lines is cut off. */
const LINES = `
export function* inputs() {
  for (let n = 0; n < 10000; n++) yield n === 6789 ? '{"n": 6789' : '{"n": ' + n + "}";
}
`;

const FILES = {
  "parse.ts": `${LINES}
export default (line: string) => JSON.parse(line).n * 2;
`,
  "fixed.ts": `${LINES}
export default (line: string) => JSON.parse(line.endsWith("}") ? line : line + "}").n * 2;
`,
  "million.ts": `
export function* inputs() {
  for (let n = 0; n < 1000000; n++) yield n;
}
// Each takes long enough that the job does not end while somebody looks at it.
export default async (n: number) => {
  const until = performance.now() + 1;
  while (performance.now() < until);
  return n;
};
`,
  "report.sh": `
set -eu
job=$(cc submit -d --name report --array 1-20 -- sh -c 'test $1 != 13 && expr $1 '"'*'"' $1' sh)
if cc wait -q "$job"; then echo "all is well"; fi
cc jobs "$job" --json | jq -r '"\\(.name): \\(.tasks.completed) of \\(.tasks.total) completed"'
cc results "$job" --json | jq -r 'select(.status == "failed") | "task \\(.index) ended with \\(.exit_code)"'
cc results "$job" --json | jq -s 'map(select(.status == "completed").stdout | tonumber) | add'
cc tasks "$job" --state failed -q | while read -r task; do
  cc why "$task" --json | jq -r '.code'
done
cc retry -q "$job" -- echo thirteen
cc jobs --json | jq -r '"\\(.job_id) \\(.state)"'
`,
} as const;

export function writeJourneyFiles(folder: string): void {
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
}
