import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import { redirectConsoleToStderr } from "../../../src/runtime/job-module/console-to-stderr.ts";

test("what user code prints goes to stderr until the redirection ends", async () => {
  let text = "";
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const before = console.log;
  const restore = redirectConsoleToStderr(stderr);
  try {
    console.log("%s is %d", "one", 1);
    console.info("two");
    console.debug({ three: 3 });
    console.table([{ four: 4 }]);
  } finally {
    restore();
  }
  expect(console.log).toBe(before);
  expect(text).toStartWith("one is 1\ntwo\n{ three: 3 }\n");
  expect(text).toContain("four");
});
