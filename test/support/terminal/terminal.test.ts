/** The harness itself: what it says of a screen is what a person would see. */
import { afterEach, describe, expect, test } from "bun:test";
import { openTerminal, type TerminalRequest, type TestTerminal } from "./terminal.ts";

const open: TestTerminal[] = [];

function shell(script: string, request: Partial<TerminalRequest> = {}): TestTerminal {
  const terminal = openTerminal({
    command: ["/bin/sh", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
    ...request,
  });
  open.push(terminal);
  return terminal;
}

afterEach(async () => {
  for (const terminal of open.splice(0)) await terminal.close();
});

describe("a terminal of the tests", () => {
  test("shows text with its attributes, and its size to the program", async () => {
    const terminal = shell("stty size; printf 'a\\033[1;31mB\\033[0;7mc\\033[0m界'", {
      columns: 40,
      rows: 5,
    });
    await terminal.waitFor(/aBc界/);
    expect(terminal.row(0)).toBe("5 40");
    const [a, b, c, wide, half] = terminal.cells()[1] ?? [];
    expect(a).toMatchObject({ text: "a", foreground: "default", bold: false });
    expect(b).toMatchObject({ text: "B", foreground: "1", bold: true });
    expect(c).toMatchObject({ text: "c", inverse: true, bold: false });
    expect([wide?.text, half?.text]).toEqual(["界", ""]);
    expect(await terminal.end()).toEqual({ exitCode: 0, signal: null });
  });

  test("types keys, tells a resize, and answers what the program asks the terminal", async () => {
    const terminal = shell(
      "trap 'stty size' WINCH; stty -echo -icanon; printf '\\033[c'; dd bs=1 count=3 2>/dev/null | od -c; while :; do read -r line; echo \"got $line\"; done",
    );
    // The answer to the question for the device's attributes begins with ESC [ ?
    await terminal.waitFor(/033 +\[ +\?/);
    terminal.type("1;2c\r");
    await terminal.waitFor(/got/);
    terminal.keys("h", "i", "Enter");
    await terminal.waitFor(/got hi/);
    terminal.resize(100, 30);
    await terminal.waitFor(/30 100/);
  });

  test("tells the modes, the other screen and the state of the line", async () => {
    const terminal = shell(
      "printf 'before\\n\\033[?1049h\\033[?25l\\033[?1000h\\033[?2004h\\033[>1u\\033[?1007h'; stty raw -echo; printf inside; read -r _; stty sane; printf '\\033[<u\\033[?1007l\\033[?2004l\\033[?1000l\\033[?25h\\033[?1049lafter'; read -r _",
    );
    await terminal.waitFor(/inside/);
    expect(terminal.sttyState()).toEqual({ canonical: false, echo: false, signals: false });
    expect(terminal.modes()).toMatchObject({
      alternateScreen: true,
      cursorVisible: false,
      mouse: true,
      alternateScroll: true,
      bracketedPaste: true,
      kittyKeyboard: 1,
    });
    terminal.type("\n");
    await terminal.waitFor(/before\nafter/);
    expect(terminal.sttyState()).toEqual({ canonical: true, echo: true, signals: true });
    expect(terminal.modes()).toMatchObject({
      alternateScreen: false,
      cursorVisible: true,
      mouse: false,
      alternateScroll: false,
      bracketedPaste: false,
      kittyKeyboard: 0,
    });
  });

  test("waits until a picture that is being drawn is whole", async () => {
    const terminal = shell(
      "printf '\\033[?2026hhalf '; read -r _; printf 'whole\\033[?2026l'; read -r _",
    );
    await terminal.waitFor(() => true);
    terminal.keys("Enter");
    await terminal.waitFor(/half/);
    expect(terminal.screen()).toContain("whole");
  });

  test("a slow line holds the program back and loses nothing", async () => {
    const terminal = shell("read -r _; seq 1 100000; echo end");
    terminal.throttle(20_000);
    terminal.keys("Enter");
    await terminal.waitFor(/\d{3}\n/);
    expect(terminal.raw.byteCount).toBeLessThan(200_000);
    terminal.throttle(null);
    await terminal.waitFor(/99999\n100000\nend/);
    expect(terminal.raw.since(0)).toContain("\n1\r\n2\r\n");
  });

  test("a wait that is in vain ends with the screen", async () => {
    const terminal = shell("echo what there is; read -r _");
    await terminal.waitFor(/there/);
    const failure = await terminal.waitFor(/what there is not/, 50).catch(String);
    expect(failure).toContain("|what there is\n");
  });

  test("names what still runs, and leaves nothing when it closes", async () => {
    const terminal = shell("sleep 600 & echo up; trap '' HUP; sleep 601");
    await terminal.waitFor(/up/);
    expect(terminal.processes().map(({ command }) => command)).toContain("sleep 600");
    expect(await terminal.untilAlone(20).catch(String)).toContain("sleep 600");
    terminal.hangUp();
    await terminal.close();
    await terminal.untilAlone();
  });
});
