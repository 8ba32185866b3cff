/**
 * Brings this process back to its own folder after a task that has changed it: the next task must not
 * find itself where its neighbour went. Costs nothing where nobody calls `process.chdir`.
 */
import process from "node:process";

/** Call the answer after each task. */
export function keepWorkingFolder(): () => void {
  const home = process.cwd();
  const change = process.chdir.bind(process);
  let hasMoved = false;
  process.chdir = (folder) => {
    hasMoved = true;
    change(folder);
  };
  return () => {
    if (!hasMoved) return;
    hasMoved = false;
    change(home);
  };
}
