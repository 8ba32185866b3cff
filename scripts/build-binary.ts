/**
 * `npm run build`: compiles the whole program into one executable, `dist/cc`, and gives it its second name,
 * `dist/crowdcompute`. Options: `--target linux-x64|linux-arm64|darwin-arm64|darwin-x64` (this machine's
 * when left out; the darwin ones are untested), `--outfile FILE`, and `--failpoints` for `dist/cc-failpoints`,
 * which fault tests can kill at named steps; no other build can be told to.
 */
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import { EXECUTABLE_MARK } from "../src/commands/compiler-handover.ts";
import { INK_ROW_PATH } from "./ink-row-path.ts";

const ROOT = resolve(import.meta.dir, "..");
const TARGETS = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"] as const;
type Target = (typeof TARGETS)[number];

export interface BuildRequest {
  readonly target: Target;
  readonly outfile: string;
  /** For tests, which need the program with a module replaced; such a build gets no second name. */
  readonly plugins?: readonly BunPlugin[];
}

/** Builds beside the old file and then replaces it, so that nobody ever runs half a binary. */
export async function buildBinary(request: BuildRequest): Promise<void> {
  const { target, outfile, plugins = [] } = request;
  const unfinished = `${outfile}.${process.pid}.tmp`;
  mkdirSync(dirname(outfile), { recursive: true });
  try {
    await compile(target, unfinished, plugins);
    // A signed executable must not grow; ELF files may.
    if (target.startsWith("linux-")) appendFileSync(unfinished, EXECUTABLE_MARK);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, outfile);
  } finally {
    rmSync(unfinished, { force: true });
  }
  if (plugins.length === 0) linkSecondName(outfile);
}

/** Puts the armed module of the tests in the place of the empty one. */
const ARMED_FAILPOINTS: BunPlugin = {
  name: "armed failpoints",
  setup(build) {
    build.onLoad({ filter: /src\/runtime\/platform\/failpoint\.ts$/ }, async () => ({
      contents: await Bun.file(join(ROOT, "test/support/armed-failpoint.ts")).text(),
      loader: "ts",
    }));
  },
};

/**
 * Ink imports React's developer tools where `DEV` asks for them. They are no part of the program, but left
 * unresolved they keep the binary from starting at all.
 */
const NO_DEVELOPER_TOOLS: BunPlugin = {
  name: "no developer tools",
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({
      path,
      namespace: "absent",
    }));
    build.onLoad({ filter: /.*/, namespace: "absent" }, () => ({
      contents: "export default { initialize() {}, connectToDevTools() {} };",
      loader: "js",
    }));
  },
};

async function compile(
  target: Target,
  outfile: string,
  plugins: readonly BunPlugin[],
): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(ROOT, "src/cli.ts")],
    target: "bun",
    format: "esm",
    minify: true,
    // Halves the start: functions need not be parsed again.
    bytecode: true,
    // Each lazy import becomes a chunk of its own; one file would be read whole at every start.
    splitting: true,
    plugins: [NO_DEVELOPER_TOOLS, INK_ROW_PATH, ...plugins],
    define: {
      "process.env.NODE_ENV": '"production"',
      CC_BUILD_COMMIT: JSON.stringify(currentCommit()),
    },
    compile: {
      target: `bun-${target}`,
      outfile,
      // Without these the binary would run the current folder's bunfig.toml preload and read its .env.
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!built.success) throw new Error(`the build failed:\n${built.logs.join("\n")}`);
}

/** Null outside a repository, and where the tree differs from its commit: it would name another program. */
function currentCommit(): string | null {
  const git = (...words: string[]) =>
    Bun.spawnSync(["git", "-C", ROOT, ...words], { stderr: "ignore" });
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head.exitCode !== 0) return null;
  const changes = git("status", "--porcelain", "--untracked-files=no");
  return changes.stdout.length > 0 ? null : head.stdout.toString().trim();
}

function linkSecondName(outfile: string): void {
  const second = join(dirname(outfile), "crowdcompute");
  if (second === outfile) return;
  const unfinished = `${second}.${process.pid}.tmp`;
  linkSync(outfile, unfinished);
  renameSync(unfinished, second);
  // Renaming one link of a file over another is a no-op that leaves both.
  rmSync(unfinished, { force: true });
}

function readTarget(text: string | undefined): Target {
  const wanted = text ?? `${process.platform}-${process.arch}`;
  const target = TARGETS.find((candidate) => candidate === wanted);
  if (target === undefined) {
    console.error(`build: "${wanted}" is no target; expected one of ${TARGETS.join(", ")}.`);
    process.exit(2);
  }
  return target;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      outfile: { type: "string" },
      failpoints: { type: "boolean", default: false },
    },
  });
  const { failpoints } = values;
  const target = readTarget(values.target);
  const outfile = resolve(
    values.outfile ?? join(ROOT, failpoints ? "dist/cc-failpoints" : "dist/cc"),
  );
  const startedAtMs = performance.now();
  await buildBinary({ target, outfile, plugins: failpoints ? [ARMED_FAILPOINTS] : [] });
  if (target.startsWith("darwin-")) console.error("build: the darwin targets are untested.");
  const sizeMib = statSync(outfile).size / 1024 ** 2;
  console.error(
    `build: ${outfile} for ${target}, ${sizeMib.toFixed(0)} MiB, ${Math.round(performance.now() - startedAtMs)} ms`,
  );
}
