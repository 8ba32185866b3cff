/** The program's version; the build inlines it, so that the binary needs no package.json beside it. */
import packageJson from "../../../package.json" with { type: "json" };

export const PROGRAM_VERSION: string = packageJson.version;
