import { expect, test } from "bun:test";
import { accountName, findPaths } from "../../../src/runtime/platform/paths.ts";

test("files lie below the home folder", () => {
  expect(findPaths({ HOME: "/home/ada" })).toEqual({
    configFolder: "/home/ada/.config/crowdcompute",
    configFile: "/home/ada/.config/crowdcompute/config.json",
    keysFolder: "/home/ada/.config/crowdcompute/keys",
    localAdminKey: "/home/ada/.config/crowdcompute/keys/local-admin.key",
    localWorkerKey: "/home/ada/.config/crowdcompute/keys/local-worker.key",
    stateFolder: "/home/ada/.local/state/crowdcompute",
    defaultStore: "/home/ada/.local/state/crowdcompute",
    cacheFolder: "/home/ada/.cache/crowdcompute",
  });
});

test("the XDG variables move them, but a relative one is ignored", () => {
  const paths = findPaths({
    HOME: "/home/ada",
    XDG_CONFIG_HOME: "/etc/ada",
    XDG_STATE_HOME: "state",
    XDG_CACHE_HOME: "",
  });
  expect(paths.localAdminKey).toBe("/etc/ada/crowdcompute/keys/local-admin.key");
  expect(paths.defaultStore).toBe("/home/ada/.local/state/crowdcompute");
  expect(paths.cacheFolder).toBe("/home/ada/.cache/crowdcompute");
});

test("without HOME the account's own home folder is taken", () => {
  expect(findPaths({}).configFolder).toMatch(/^\/.+\/crowdcompute$/);
});

test("a HOME that is no path is an error that says what to set", () => {
  let thrown: unknown;
  try {
    findPaths({ HOME: "home/ada" });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: "no_home", exitCode: 78 });
  expect((thrown as Error).message).toContain('"home/ada"');
});

test("the account has a name", () => {
  expect(accountName({}).length).toBeGreaterThan(0);
});
