// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
import { describe, expect, test } from "bun:test";
import {
  type CommandWork,
  compileTemplate,
  expandCommand,
  expandText,
  hasPlaceholder,
} from "../../../src/runtime/protocol/command-template.ts";
import type { InputShape } from "../../../src/runtime/protocol/job-spec.ts";

const PLAIN: InputShape = { product_sources: 0, chunk: 0, none: false };

function command(argv: readonly string[], changes: Partial<CommandWork> = {}): CommandWork {
  return {
    kind: "command",
    argv: [...argv],
    shell: false,
    placeholder: null,
    stdin: false,
    scratch: false,
    cwd: "/work",
    ...changes,
  };
}

interface Case {
  readonly value?: unknown;
  readonly shape?: Partial<InputShape>;
  readonly work?: Partial<CommandWork>;
  readonly index?: number;
  readonly slot?: number;
}

function argvOf(argv: readonly string[], given: Case = {}): readonly string[] {
  const { value = "in.txt", shape = {}, work = {}, index = 0, slot = 1 } = given;
  const input = { value, index, slot };
  return expandCommand(command(argv, work), { ...PLAIN, ...shape }, input).argv;
}

const HOSTILE = [
  "",
  " ",
  "two words",
  "it's",
  '"quoted"',
  "$(touch /tmp/never)",
  "`id`",
  "${HOME}",
  "a\nb",
  "\n",
  "-rf",
  "--",
  "*",
  "~",
  "a;b&c|d>e<f",
  "\\",
  "\\'",
  "naïve 日本 🚀",
  "{}",
  "{.}",
  "#no",
  "!x",
  "a=b",
  "\t",
];

describe("a command's words", () => {
  test("{} is one argument, whatever the value holds", () => {
    for (const value of HOSTILE) {
      expect(argvOf(["run", "{}", "x={}"], { value })).toEqual(["run", value, `x=${value}`]);
    }
  });

  test("without a placeholder the input is appended", () => {
    expect(argvOf(["sha256sum"], { value: "a b" })).toEqual(["sha256sum", "a b"]);
  });

  test("any placeholder keeps the input from being appended", () => {
    for (const placeholder of ["{}", "{.}", "{/}", "{//}", "{/.}", "{#}", "{%}"]) {
      expect(argvOf(["echo", placeholder])).toHaveLength(2);
    }
  });

  test("path forms follow GNU parallel", () => {
    const forms = ["{}", "{.}", "{/}", "{/.}", "{//}"];
    const rows: readonly (readonly string[])[] = [
      ["a.txt", "a", "a.txt", "a", "."],
      ["dir/a.tar.gz", "dir/a.tar", "a.tar.gz", "a.tar", "dir"],
      ["/a.b/c", "/a.b/c", "c", "c", "/a.b"],
      ["a.b/c", "a.b/c", "c", "c", "a.b"],
      ["/x", "/x", "x", "x", "/"],
      ["/", "/", "", "", "/"],
      ["a/b/", "a/b/", "", "", "a"],
      ["a//b", "a//b", "b", "b", "a"],
      ["//a//", "//a//", "", "", "/"],
      [".hidden", "", ".hidden", "", "."],
      ["name.", "name.", "name.", "name.", "."],
      ["a.b.", "a.b.", "a.b.", "a.b.", "."],
      ["", "", "", "", "."],
      ["sp ace/ü.png", "sp ace/ü", "ü.png", "ü", "sp ace"],
      ["line\nfeed.txt", "line\nfeed", "line\nfeed.txt", "line\nfeed", "."],
    ];
    for (const [value, ...rest] of rows) {
      expect(argvOf(["p", ...forms], { value })).toEqual(["p", value as string, ...rest]);
    }
  });

  test("a path of a hundred thousand slashes takes no time", () => {
    expect(argvOf(["p", "{//}"], { value: `a${"/".repeat(100_000)}b` })).toEqual(["p", "a"]);
  });

  test("{#} counts tasks and {%} slots, both from 1", () => {
    expect(argvOf(["p", "{#}-{%}"], { index: 41, slot: 3 })).toEqual(["p", "42-3"]);
  });

  test("an empty word stays an argument", () => {
    expect(argvOf(["printf", "", "{}"])).toEqual(["printf", "", "in.txt"]);
  });

  test("numbers and booleans are JSON, objects JSON text, undefined nothing", () => {
    expect(argvOf(["p", "{}"], { value: 0.1 })).toEqual(["p", "0.1"]);
    expect(argvOf(["p", "{}"], { value: true })).toEqual(["p", "true"]);
    expect(argvOf(["p", "{}"], { value: null })).toEqual(["p", "null"]);
    expect(argvOf(["p", "{}"], { value: { a: [1, "x"] } })).toEqual(["p", '{"a":[1,"x"]}']);
    expect(argvOf(["p", "{}"], { value: { a: 1n } })).toEqual(["p", '{"a":{"$bigint":"1"}}']);
    expect(argvOf(["p", "{}"], { value: new TextEncoder().encode("é") })).toEqual(["p", "é"]);
  });

  test("bytes that are no text are refused as an argument", () => {
    expect(() => argvOf(["p"], { value: new Uint8Array([255]) })).toThrow(/not UTF-8/);
  });
});

describe("{name}", () => {
  test("takes the field of an object, as text", () => {
    const value = { file: "a b.png", width: 64, "first name": "Ann" };
    expect(argvOf(["convert", "{file}", "{width}x{width}", "{first name}"], { value })).toEqual([
      "convert",
      "a b.png",
      "64x64",
      "Ann",
    ]);
  });

  test("is text when the input is no object, and the input is then appended", () => {
    expect(argvOf(["awk", "{print}"], { value: "f" })).toEqual(["awk", "{print}", "f"]);
    expect(argvOf(["awk", "{print $1}", "{}"], { value: "f" })).toEqual(["awk", "{print $1}", "f"]);
  });

  test("is text when the object has no such field of its own", () => {
    const value = { a: 1 };
    expect(argvOf(["p", "{b}"], { value })).toEqual(["p", "{b}", '{"a":1}']);
    expect(argvOf(["p", "{toString}", "{a}"], { value })).toEqual(["p", "{toString}", "1"]);
  });

  test("after a dollar sign it is the shell's", () => {
    const value = { HOME: "x" };
    expect(argvOf(["sh", "-c", "echo ${HOME} ${1} ${#}", "{HOME}"], { value })).toEqual([
      "sh",
      "-c",
      "echo ${HOME} ${1} ${#}",
      "x",
    ]);
  });
});

describe("products and positions", () => {
  const shape = { product_sources: 2 };

  test("{1} and {2} are the sources, with their path forms", () => {
    expect(argvOf(["p", "{2}", "{1.}-{1/}-{2//}"], { value: ["d/a.png", "64"], shape })).toEqual([
      "p",
      "64",
      "d/a-a.png-.",
    ]);
  });

  test("{} is one argument a source, joined inside a word", () => {
    expect(argvOf(["p", "{}", "<{}>"], { value: ["a b", "c"], shape })).toEqual([
      "p",
      "a b",
      "c",
      "<a b c>",
    ]);
    expect(argvOf(["p"], { value: ["a", "b"], shape })).toEqual(["p", "a", "b"]);
  });

  test("a position beyond the sources is text", () => {
    expect(argvOf(["p", "{1}", "{3}"], { value: ["a", "b"], shape })).toEqual(["p", "a", "{3}"]);
  });

  test("one input has a first position; a pattern's {2} stays as it is", () => {
    expect(argvOf(["grep", "x{2}", "{1}"], { value: "f" })).toEqual(["grep", "x{2}", "f"]);
    expect(argvOf(["p", "{0}", "{01}"], { value: "f" })).toEqual(["p", "{0}", "{01}", "f"]);
  });

  test("an array's elements are positions", () => {
    expect(argvOf(["p", "{2}{1}"], { value: [1, "x"] })).toEqual(["p", "x1"]);
  });
});

describe("chunks", () => {
  const shape = { chunk: 3 };

  test("{} as a whole word becomes an argument an input", () => {
    expect(argvOf(["rm", "{}", "end"], { value: ["a b", "c", "d"], shape })).toEqual([
      "rm",
      "a b",
      "c",
      "d",
      "end",
    ]);
    expect(argvOf(["rm", "{.}"], { value: ["a.c", "b.d"], shape })).toEqual(["rm", "a", "b"]);
  });

  test("inside a word inputs are joined by a space", () => {
    expect(argvOf(["p", "[{}]"], { value: ["a", "b"], shape })).toEqual(["p", "[a b]"]);
  });

  test("without a placeholder all are appended", () => {
    expect(argvOf(["p"], { value: ["a", "b", "c"], shape })).toEqual(["p", "a", "b", "c"]);
  });

  test("a position that the last, shorter chunk lacks is no argument", () => {
    expect(argvOf(["p", "{1}", "{2}", "x{3}"], { value: ["a"], shape })).toEqual(["p", "a", "x"]);
  });

  test("fields of every object of the chunk", () => {
    expect(argvOf(["p", "{n}"], { value: [{ n: 1 }, { n: 2 }], shape })).toEqual(["p", "1", "2"]);
    expect(argvOf(["p", "{n}", "x"], { value: [{ n: 1 }, {}], shape }).slice(1, 3)).toEqual([
      "{n}",
      "x",
    ]);
  });

  test("of products: {1} is the first source of each", () => {
    const value = [
      ["a", "1"],
      ["b", "2"],
    ];
    const both = { chunk: 2, product_sources: 2 };
    expect(argvOf(["p", "{1}", "{}"], { value, shape: both })).toEqual([
      "p",
      "a",
      "b",
      "a",
      "1",
      "b",
      "2",
    ]);
  });
});

describe("without inputs", () => {
  test("input placeholders are text and nothing is appended", () => {
    const argv = ["find", ".", "-exec", "ls", "{}", ";"];
    expect(argvOf(argv, { shape: { none: true }, value: undefined })).toEqual(argv);
  });
});

describe("-I", () => {
  test("another name stands for {}, which is then text", () => {
    const work = { placeholder: "FILE" };
    expect(argvOf(["find", "FILE", "-exec", "ls", "{}", "{.}"], { value: "d.x", work })).toEqual([
      "find",
      "d.x",
      "-exec",
      "ls",
      "{}",
      "d",
    ]);
    expect(argvOf(["p", "aFILEb"], { value: "x", work })).toEqual(["p", "axb"]);
  });
});

describe("stdin, cwd and texts", () => {
  test("--stdin gives a line to the command and appends nothing", () => {
    const work = command(["cat"], { stdin: true });
    const give = (value: unknown, shape: Partial<InputShape> = {}) =>
      expandCommand(work, { ...PLAIN, ...shape }, { value, index: 0, slot: 1 });
    expect(give("a b")).toEqual({ argv: ["cat"], cwd: "/work", stdin: "a b\n" });
    expect(give("ended\n").stdin).toBe("ended\n");
    expect(give({ a: 1 }).stdin).toBe('{"a":1}\n');
    expect(give(["a", "b"], { chunk: 2 }).stdin).toBe("a\nb\n");
    expect(give(new Uint8Array([0, 255])).stdin).toEqual(new Uint8Array([0, 255]));
    expect(give(undefined, { none: true }).stdin).toBeNull();
  });

  test("--cwd may hold placeholders", () => {
    const work = command(["ls"], { cwd: "/data/{/.}/{#}" });
    expect(expandCommand(work, PLAIN, { value: "x/y.z", index: 1, slot: 1 }).cwd).toBe("/data/y/2");
  });

  test("a --cwd that is not absolute once it is filled in counts from the submitter's folder", () => {
    const work = command(["ls"], { cwd: "{//}", folder: "/home/me" });
    const cwdOf = (value: string) => expandCommand(work, PLAIN, { value, index: 0, slot: 1 }).cwd;
    expect(cwdOf("sub/a.txt")).toBe("/home/me/sub");
    expect(cwdOf("/abs/a.txt")).toBe("/abs");
  });

  test("texts are filled in and never quoted", () => {
    const input = { value: { id: "a b", n: 2 }, index: 0, slot: 1 };
    expect(expandText("out/{id}-{n}-{x}.txt", null, PLAIN, input)).toBe("out/a b-2-{x}.txt");
  });

  test("whether a text has a placeholder", () => {
    expect(hasPlaceholder("out.txt", null)).toBe(false);
    expect(hasPlaceholder("out/{}.txt", null)).toBe(true);
    expect(hasPlaceholder("out/{}.txt", "IN")).toBe(false);
    expect(hasPlaceholder("out/IN.txt", "IN")).toBe(true);
  });
});

describe("--shell", () => {
  const shells = ["/bin/sh", "/bin/bash"];

  function run(script: string, value: unknown, shape: Partial<InputShape> = {}): string[] {
    const work = command([script], { shell: true });
    const { argv } = expandCommand(work, { ...PLAIN, ...shape }, { value, index: 0, slot: 1 });
    expect(argv.slice(0, 2)).toEqual(["/bin/sh", "-c"]);
    return shells.map((shell) => {
      const child = Bun.spawnSync([shell, "-c", argv[2] as string], {
        stdin: "ignore",
        timeout: 10_000,
        env: { HOME: "/nowhere", PATH: process.env["PATH"] ?? "" },
      });
      return `${child.stdout.toString()}${child.stderr.toString()}`;
    });
  }

  test("hostile values arrive whole in every kind of quoting", () => {
    const places = [
      "printf '<%s>' {}",
      "printf '<%s>' \"{}\"",
      "printf '<%s>' '{}'",
      "printf '<%s>' \"$(printf %s. {})\"",
      'printf \'<%s>\' "$(printf %s. "{}")"',
      "printf '<%s>' \"`printf %s. {}`\"",
      "f() { printf '<%s>' \"$1\"; }; f {}",
      "# don't {}\nprintf '<%s>' {}",
      "cat <<< x >/dev/null 2>&1; printf '<%s>' {}",
      "(printf '<%s>' {})",
      'x="${UNSET:-{}}"; printf \'<%s>\' "$x"',
    ];
    for (const place of places) {
      // A here-string is no POSIX; there only bash speaks.
      const isBashOnly = place.includes("<<<");
      for (const value of HOSTILE) {
        const suffix = place.includes("%s.") ? "." : "";
        const outputs = run(place, value).slice(isBashOnly ? 1 : 0);
        for (const output of outputs) expect(output).toBe(`<${value}${suffix}>`);
      }
    }
  });

  test("text around a placeholder in double quotes stays one word", () => {
    expect(run('printf "<%s>" "file-{}.txt" {.}', "a b.c")).toEqual(
      shells.map(() => "<file-a b.c.txt><a b>"),
    );
  });

  test("numbers take part in arithmetic", () => {
    expect(run("echo $(({} * {}))", 12)).toEqual(shells.map(() => "144\n"));
  });

  test("a digit before a redirection is an argument, not a stream", () => {
    expect(run("echo {}>/dev/null; echo {}>&1", 2)).toEqual(shells.map(() => "2\n"));
  });

  test("a reserved word in a command's place is a command", () => {
    const child = run("{} 2>/dev/null || echo missing", "if");
    expect(child).toEqual(shells.map(() => "missing\n"));
  });

  test("a comment cannot be left by a newline in a value", () => {
    expect(run("echo ok # {}", "x\necho broken")).toEqual(shells.map(() => "ok\n"));
  });

  test("a value never joins the script, even where the quoting is mistaken", () => {
    const script = "printf '<%s>' \"$(case x in x) printf %s '{}' ;; esac)\"";
    for (const output of run(script, "$(echo run)' $(echo run) '")) {
      expect(output).not.toContain("<run");
    }
  });

  test("the input is appended without a placeholder, chunks one word an input", () => {
    expect(run("printf '<%s>'", "a b")).toEqual(shells.map(() => "<a b>"));
    expect(run("printf '<%s>' {}", ["a b", "c"], { chunk: 2 })).toEqual(
      shells.map(() => "<a b><c>"),
    );
    expect(run('printf "<%s>" "{}"', ["a b", "c"], { chunk: 2 })).toEqual(
      shells.map(() => "<a b c>"),
    );
  });

  test("words are joined by a space into one text", () => {
    const work = command(["echo", "{}", "|", "wc", "-c"], { shell: true });
    expect(expandCommand(work, PLAIN, { value: "abc", index: 0, slot: 1 }).argv[2]).toBe(
      "echo abc | wc -c",
    );
  });

  test("a shell's own variables stay", () => {
    expect(run("x=1; printf '%s' \"${x}${#}\" {}", "v")).toEqual(shells.map(() => "10v"));
  });

  test("a placeholder in a here-document is refused when the template is compiled", () => {
    const work = command(["cat <<EOF\n{}\nEOF"], { shell: true });
    expect(() => compileTemplate(work, PLAIN)).toThrow(/here-document/);
    const shift = command(["echo $((1 << 2))\necho {}"], { shell: true });
    expect(() => compileTemplate(shift, PLAIN)).not.toThrow();
  });
});
