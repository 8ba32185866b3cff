/** What was read stays while there is room, the last used ones longest. */
import { expect, test } from "bun:test";
import { createByteCache } from "../../../../src/runtime/foreman/reading/byte-cache.ts";

const entry = (name: string, bytes = 40) => ({ name, bytes });

test("what was not used for longest makes room", () => {
  const cache = createByteCache<ReturnType<typeof entry>>(100);
  cache.hold("a", entry("a"));
  cache.hold("b", entry("b"));
  expect(cache.get("a")?.name).toBe("a");
  cache.hold("c", entry("c"));
  expect(["a", "b", "c"].map((key) => cache.get(key)?.name)).toEqual(["a", undefined, "c"]);
});

test("one that is larger than the bound is kept alone, and a newer one of its name replaces it", () => {
  const cache = createByteCache<ReturnType<typeof entry>>(100);
  cache.hold("a", entry("a"));
  cache.hold("b", entry("large", 500));
  expect([cache.get("a"), cache.get("b")?.name]).toEqual([null, "large"]);
  cache.hold("b", entry("small", 10));
  cache.hold("c", entry("c", 90));
  expect([cache.get("b")?.name, cache.get("c")?.name]).toEqual(["small", "c"]);
});

test("what is forgotten gives its room back", () => {
  const cache = createByteCache<ReturnType<typeof entry>>(100);
  cache.hold("1:1", entry("a", 90));
  cache.forget((key) => key.startsWith("1:"));
  cache.hold("2:1", entry("b", 90));
  cache.hold("2:2", entry("c", 10));
  expect(["1:1", "2:1", "2:2"].map((key) => cache.get(key)?.name)).toEqual([undefined, "b", "c"]);
});
