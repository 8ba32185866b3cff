/** The program's version; the build inlines it, so that the binary needs no package.json beside it. */
import packageJson from "../../../package.json" with { type: "json" };

/** Put in by `scripts/build-binary.ts`; from sources there is no such name. */
declare const CC_BUILD_COMMIT: string | null;

export const PROGRAM_VERSION: string = packageJson.version;

/** The commit it was built from; null from sources or outside a repository. */
export const BUILD_COMMIT: string | null =
  typeof CC_BUILD_COMMIT === "undefined" ? null : CC_BUILD_COMMIT;
