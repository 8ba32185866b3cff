/** The compiled monitor in a terminal, looking at a real foreman with real workers. */
import { BINARY } from "../../../support/binary.ts";
import { openTerminal, type TestTerminal } from "../../../support/terminal/terminal.ts";
import { openStage, type Stage } from "../../stage.ts";
import { isLive } from "./walk.ts";

export interface RealTopOptions {
  readonly args?: readonly string[];
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RealTop extends Stage {
  /** `cc top ARGS` of this world, which finds its foreman by itself. */
  open(options?: RealTopOptions): TestTerminal;
  /** The same, once there is a picture. */
  openLive(options?: RealTopOptions): Promise<TestTerminal>;
  closeTerminals(): Promise<void>;
}

export async function openRealTop(foremanArgs: readonly string[] = []): Promise<RealTop> {
  const stage = await openStage(foremanArgs);
  const terminals: TestTerminal[] = [];

  function open({ args = [], columns = 100, rows = 30, env = {} }: RealTopOptions = {}) {
    const terminal = openTerminal({
      command: [BINARY, "top", ...args],
      columns,
      rows,
      cwd: stage.world.folder,
      env: { ...stage.world.env, PAGER: "true", ...env },
    });
    terminals.push(terminal);
    return terminal;
  }

  async function closeTerminals(): Promise<void> {
    for (const terminal of terminals.splice(0)) await terminal.close();
  }

  return {
    ...stage,
    open,
    async openLive(options) {
      const terminal = open(options);
      await terminal.waitFor(isLive);
      return terminal;
    },
    closeTerminals,
    async close() {
      await closeTerminals();
      await stage.close();
    },
  };
}
