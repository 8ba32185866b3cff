/**
 * The compiled monitor in a terminal, looking at a foreman that a test plays. Everything lies in a world of
 * its own; whatever was opened ends with the stage.
 */
import { join } from "node:path";
import { BINARY, createWorld, type World } from "../../../support/binary.ts";
import {
  type FakeForeman,
  type FakeForemanOptions,
  startFakeForeman,
} from "../../../support/monitor/fake-foreman.ts";
import { openTerminal, type TestTerminal } from "../../../support/terminal/terminal.ts";
import { isLive } from "./walk.ts";

/** What `beforeAll` may take: the first file also builds the binary. */
export const SETUP_MS = 180_000;

export interface TopOptions {
  /** Beside where the foreman is. */
  readonly args?: readonly string[];
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Another executable than `dist/cc`. */
  readonly program?: string;
  /** Words for a shell that runs it: `$TOP` is the monitor's command line. */
  readonly shell?: string;
}

export interface TopStage {
  readonly world: World;
  readonly foreman: FakeForeman;
  /** The words that start the monitor at this foreman. */
  topWords(args?: readonly string[], program?: string): readonly string[];
  open(options?: TopOptions): TestTerminal;
  /** Opens it and waits for the overview's first whole picture. */
  openLive(options?: TopOptions): Promise<TestTerminal>;
  /** Ends what was opened so far. */
  closeTerminals(): Promise<void>;
  close(): Promise<void>;
}

export async function openTopStage(foremanOptions: FakeForemanOptions = {}): Promise<TopStage> {
  const world = await createWorld();
  const foreman = await startFakeForeman(foremanOptions);
  const keyFile = foreman.writeKey(join(world.folder, "keys"));
  const terminals: TestTerminal[] = [];
  const topWords = (args: readonly string[] = [], program = BINARY): readonly string[] => [
    program,
    "top",
    "--foreman",
    foreman.url,
    "--key-file",
    keyFile,
    ...args,
  ];

  function open(options: TopOptions = {}): TestTerminal {
    const words = topWords(options.args, options.program);
    const command =
      options.shell === undefined
        ? words
        : ["/bin/bash", "--norc", "--noprofile", "-c", options.shell];
    const terminal = openTerminal({
      command,
      columns: options.columns ?? 80,
      rows: options.rows ?? 24,
      cwd: world.folder,
      env: { ...world.env, TOP: words.join(" "), ...options.env },
    });
    terminals.push(terminal);
    return terminal;
  }

  async function closeTerminals(): Promise<void> {
    for (const terminal of terminals.splice(0)) await terminal.close();
  }

  return {
    world,
    foreman,
    topWords,
    open,
    async openLive(options) {
      const terminal = open(options);
      await terminal.waitFor(isLive);
      return terminal;
    },
    closeTerminals,
    async close() {
      await closeTerminals();
      await foreman.close();
      await world.close();
    },
  };
}
