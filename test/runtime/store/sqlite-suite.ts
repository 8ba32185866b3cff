/**
 * What only a store on disk can show: one writer a folder, readers beside it, sudden death, damage,
 * versions, busy and full disks. It runs under Bun and Node alike.
 */
import type { Runner } from "./conformance.ts";
import { suiteOfCommits } from "./sqlite-suite/commits.ts";
import { suiteOfCopies } from "./sqlite-suite/copies.ts";
import { suiteOfDamage } from "./sqlite-suite/damage.ts";
import { suiteOfExamination } from "./sqlite-suite/examination.ts";
import { suiteOfProcesses } from "./sqlite-suite/processes.ts";
import { suiteOfReaders } from "./sqlite-suite/readers.ts";
import { suiteOfSettings } from "./sqlite-suite/settings.ts";
import { makeStoreFolder } from "./sqlite-world.ts";

/** A test gets a folder that does not exist yet. */
export type FolderSuite = (title: string, body: (folder: string) => Promise<void>) => void;

export function testSqliteStore(name: string, runner: Runner): void {
  const suite: FolderSuite = (title, body) => {
    runner.test(`${name}: ${title}`, async () => {
      const { folder, dispose } = makeStoreFolder();
      try {
        await body(folder);
      } finally {
        dispose();
      }
    });
  };
  suiteOfSettings(suite);
  suiteOfProcesses(suite);
  suiteOfReaders(suite);
  suiteOfDamage(suite);
  suiteOfCommits(suite);
  suiteOfCopies(suite);
  suiteOfExamination(suite);
}
