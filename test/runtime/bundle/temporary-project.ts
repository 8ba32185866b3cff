/** A folder with a job project for one test. It is removed when the test's `await using` ends. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type BundleOptions,
  bundleJob,
  type JobBundle,
} from "../../../src/runtime/bundle/bundle-job.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";

export interface TemporaryProject extends AsyncDisposable {
  readonly folder: string;
  path(name: string): string;
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  bundle(entry?: string, options?: Partial<BundleOptions>): Promise<JobBundle>;
  /** The error with which `entry` is refused; fails the test when it is not. */
  refusal(entry?: string, options?: Partial<BundleOptions>): Promise<Refusal>;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export async function createProject(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<TemporaryProject> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "cc-bundle-test-")));
  const project: TemporaryProject = {
    folder,
    path: (name) => join(folder, name),
    async write(more) {
      for (const [name, text] of Object.entries(more)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
    },
    bundle: (entry = "job.ts", options = {}) => bundleJob(entry, { cwd: folder, ...options }),
    async refusal(entry, options) {
      const thrown: unknown = await project.bundle(entry, options).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (!(thrown instanceof CcError)) throw new Error(`expected a refusal, got ${thrown}`);
      if (thrown.exitCode !== 2) throw thrown;
      return { code: thrown.code, message: thrown.message, hint: thrown.hint };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  await project.write(files);
  return project;
}
