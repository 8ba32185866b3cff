/** Patches of views: applied to what was there they give what is there, over either sub-protocol. */
import { describe, expect, test } from "bun:test";
import { decodeFrame, type Encoding, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { applyPatch, diffView, type ViewPatch } from "../../../src/runtime/protocol/view-patch.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { type Body, canonical, changed, randomBody } from "../../support/random-bodies.ts";

const ENCODINGS: Encoding[] = ["msgpack", "json"];
describe.each(ENCODINGS)("over %s", (encoding) => {
  const over = <Type extends "snapshot" | "delta">(message: MessageOf<Type>): MessageOf<Type> =>
    decodeFrame(encodeFrame(message as Message, encoding)) as MessageOf<Type>;

  test("a body that is patched again and again stays what the whole body is", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = createRandom(seed);
      let body = randomBody(random, 3);
      let held = over<"snapshot">({ type: "snapshot", request: 1, seq: 0, body }).body as object;
      for (let seq = 1; seq <= 10; seq++) {
        const next = changed(random, body, 3);
        const patch = diffView(body, next);
        if (patch !== null) {
          const heard = over<"delta">({ type: "delta", request: 1, seq, patch });
          held = applyPatch(held, heard.patch as ViewPatch);
        }
        body = next;
        expect(`seed ${seed}: ${canonical(held)}`).toBe(`seed ${seed}: ${canonical(body)}`);
      }
    }
  });

  test("a worker called __proto__ comes, changes and goes", () => {
    const rows = (text: string): Body => ({ rows: JSON.parse(text) });
    const [first, second, third] = ['{"w":1}', '{"w":1,"__proto__":{"cpu":1}}', '{"w":1}'].map(
      rows,
    );
    const through = (before: object, after: object): object => {
      const patch = diffView(before, after) as ViewPatch;
      const heard = over<"delta">({ type: "delta", request: 1, seq: 1, patch });
      return applyPatch(before, heard.patch as ViewPatch);
    };
    const came = through(first as Body, second as Body);
    expect(JSON.stringify(came)).toBe('{"rows":{"w":1,"__proto__":{"cpu":1}}}');
    expect(JSON.stringify(through(came, third as Body))).toBe('{"rows":{"w":1}}');
    expect(({} as { cpu?: number }).cpu).toBeUndefined();
  });
});

test("what is equal has no patch, and what did not change is shared", () => {
  const before = { a: { x: 1, list: [1, { y: 2 }] }, b: { z: 3 } };
  expect(diffView(before, structuredClone(before))).toBeNull();
  const after = applyPatch(before, { within: { b: { set: { z: 4 } } } }) as typeof before;
  expect(after.a).toBe(before.a);
  expect(after.b).toEqual({ z: 4 });
  expect(before.b).toEqual({ z: 3 });
});

test("one changed cell travels as one field", () => {
  const before = { rows: { w1: { cpu: 1, jobs: [1, 2] }, w2: { cpu: 5, jobs: [] } } };
  const after = { rows: { w1: { cpu: 2, jobs: [1, 2] }, w2: { cpu: 5, jobs: [] } } };
  expect(diffView(before, after)).toEqual({
    within: { rows: { within: { w1: { set: { cpu: 2 } } } } },
  });
});
