/** What the words of a filter mean, and that no filter or row can do harm. */
import { describe, expect, test } from "bun:test";
import {
  type FilterList,
  type FilterRow,
  matchesRow,
  parseRowFilter,
  statesAllowed,
} from "../../../src/runtime/protocol/row-filter.ts";

const ROW: FilterRow = {
  texts: ["17", "Render-Frames", "ann", "gpu.render"],
  fields: {
    name: "Render-Frames",
    owner: "ann",
    queue: "gpu.render",
    job: 17,
    label: ["zone=eu", "gpu=a100"],
    failed: 12,
    running: 340,
    total: 100_000,
    rate: null,
    memory: 61,
    memory_bytes: 5 * 1024 ** 3,
  },
  seconds: 42,
  states: ["running", "open"],
};

function matches(text: string, list: FilterList = "jobs", row: FilterRow = ROW): boolean {
  const parsed = parseRowFilter(text, list);
  if (!parsed.ok) throw new Error(parsed.message);
  return matchesRow(parsed.filter, row);
}

function refusalOf(text: string, list: FilterList = "jobs"): string {
  const parsed = parseRowFilter(text, list);
  if (parsed.ok) throw new Error(`"${text}" was accepted`);
  return parsed.message;
}

const HOLD = [
  "",
  "   ",
  "render",
  "RENDER ann",
  '"gpu.render"',
  '"render-fr',
  "!blender",
  "!",
  '""',
  "state:running",
  "state:r",
  "STATE:R,F",
  "state:active",
  "state:open",
  "state:run",
  "!state:failed",
  "name:frames",
  "name:render*s",
  "owner:ann,bob",
  "owner:A*",
  "job:17",
  "label:gpu",
  "label:gpu=a*",
  "failed>11",
  "failed>=12",
  "failed<=12",
  "failed:12",
  "total>99k",
  "total<0.2M",
  ">10s",
  "<1m",
  ">=42s <=42s",
  "state:running failed>0 !owner:bob >10s render",
];

const FAIL = [
  "blender",
  "!render",
  '"render frames"',
  "state:failed",
  "!state:active",
  "name:bob",
  "owner:an",
  "job:1",
  "label:zon",
  "failed>12",
  "failed<12",
  "rate>0",
  "rate<1000000",
  ">42s",
  "render blender",
  "name:*x*",
  "name:frames*",
];

describe("a filter", () => {
  test.each(HOLD)("%p holds", (text) => expect(matches(text)).toBe(true));
  test.each(FAIL)("%p does not hold", (text) => expect(matches(text)).toBe(false));

  test("asks for memory by its share or by bytes", () => {
    expect(matches("memory>60", "workers")).toBe(true);
    expect(matches("memory>60%", "workers")).toBe(true);
    expect(matches("memory>6G", "workers")).toBe(false);
    expect(matches("memory>4.5GiB", "workers")).toBe(true);
  });

  test("looks for text with a colon or a sign when it is quoted or names no field", () => {
    const row = { ...ROW, texts: ["http://x:80 a->b 12:30 exit:1"] };
    for (const text of ['"exit:1"', "12:30", "->b", '"http://x:80"', ":80"]) {
      expect(matches(text, "jobs", row)).toBe(true);
    }
  });

  test("knows the states of its own list by word, beginning and letter", () => {
    const row = { ...ROW, states: ["set aside"] };
    for (const text of ["state:set-aside", 'state:"set aside"', "state:set", "state:active"]) {
      expect(matches(text, "workers", row)).toBe(true);
    }
    expect(matches("state:done", "tasks", { ...ROW, states: ["completed"] })).toBe(true);
    expect(refusalOf("state:paused", "tasks")).toContain("delayed");
    expect(refusalOf("state:d", "jobs")).toContain("active, open, queued");
  });

  test("tells which states it can let through", () => {
    const parsed = parseRowFilter("state:active !state:running worker:w3", "tasks");
    const names = ["queued", "running", "failed"];
    expect(parsed.ok && statesAllowed(parsed.filter, names)).toEqual(["queued"]);
  });
});

describe("what cannot be a filter is refused with what could be", () => {
  test.each([
    ["owned:ann", "name, owner"],
    ["worker:w3", '"worker:w3" in quotation marks'],
    ["failed>x", "failed>10"],
    ["failed>", "failed>10"],
    ["failed>1e99999", "failed>10"],
    [">5", "has no unit"],
    [">", ">10s"],
    ["<soon", "is not a duration"],
    ["owner>3", "owner:VALUE"],
    ["state:", "active, open"],
    ["state:,", "active, open"],
    ["state:nix", "active, open"],
    ["constructor:x", "There is no field"],
    ["__proto__:x", "There is no field"],
    ["toString>1", "There is no field"],
  ])("%p", (text, part) => expect(refusalOf(text)).toContain(part));

  test("a filter beyond its bounds", () => {
    expect(matches("x ".repeat(64), "jobs", { ...ROW, texts: ["x"] })).toBe(true);
    expect(refusalOf("x ".repeat(65))).toContain("64 words");
    expect(parseRowFilter("x".repeat(4096), "jobs").ok).toBe(true);
    expect(refusalOf("x".repeat(4097))).toContain("4096 characters");
  });

  test("a refused word is shortened", () => {
    expect(refusalOf(`${"a".repeat(3000)}:x`).length).toBeLessThan(400);
  });
});

describe("hostile words and rows", () => {
  test("a row's own keys are taken as they are", () => {
    const fields = JSON.parse('{"__proto__": {"owner": "eve"}, "failed": "12"}');
    expect(matches("owner:eve", "jobs", { ...ROW, fields })).toBe(false);
    expect(matches("failed>1", "jobs", { ...ROW, fields })).toBe(false);
    expect(matches("!owner:eve", "jobs", { ...ROW, fields })).toBe(true);
  });

  test("signs of regular expressions are only signs", () => {
    const row = { ...ROW, texts: ["(a+)+$ [x] .*"] };
    expect(matches("(a+)+$", "jobs", row)).toBe(true);
    expect(matches("a.*b", "jobs", row)).toBe(false);
    expect(matches("[", "jobs", row)).toBe(true);
  });

  test("many stars over a long text end after one look at it", () => {
    let looks = 0;
    const name = "a".repeat(2000);
    const fields = Object.defineProperty({}, "name", {
      get: () => {
        looks++;
        return name;
      },
    });
    const stars = `name:${"a*".repeat(2000)}b`;
    expect(matches(stars, "jobs", { ...ROW, fields })).toBe(false);
    expect(looks).toBe(1);
  });

  test("random words never throw and invert exactly", () => {
    const pieces = [
      "!",
      '"',
      ":",
      ">",
      "<",
      "=",
      "state",
      "failed",
      "1",
      "k",
      " ",
      "é",
      "\u0000",
      "*",
    ];
    let seed = 7;
    const next = (bound: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % bound;
    };
    let accepted = 0;
    for (let round = 0; round < 5000; round++) {
      const word = Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join("");
      const parsed = parseRowFilter(word, "jobs");
      if (!parsed.ok) expect(parsed.message.length).toBeGreaterThan(10);
      else {
        accepted++;
        const [first, ...rest] = parsed.filter.words;
        const inverted = first ? [{ ...first, isInverted: !first.isInverted }] : [];
        if (first && rest.length === 0) {
          expect(matchesRow({ words: inverted }, ROW)).toBe(!matchesRow(parsed.filter, ROW));
        }
      }
    }
    expect(accepted).toBeGreaterThan(500);
  });
});
