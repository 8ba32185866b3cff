/** A client written from docs/protocol.md alone, in nothing but WebSocket, JSON and HMAC, submits a job. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { findPaths } from "../../src/runtime/platform/paths.ts";
import { createWorld, type World } from "../support/binary.ts";

let world: World;
let url: URL;

beforeAll(async () => {
  world = await createWorld();
  const foreman = world.start(["foreman", "--port", "0", "--workers", "1"]);
  await foreman.untilStderr(/workers join with/);
  url = new URL(/foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "");
});
afterAll(() => world.close());

type Json = Record<string, unknown>;

/** RFC 4648, lower case, without padding. */
function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) =>
    "abcdefghijklmnopqrstuvwxyz234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

function lengthPrefixed(field: string | Buffer): Buffer {
  const bytes = Buffer.from(field as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}

async function connect() {
  const socket = new WebSocket(new URL("/ws", url), ["crowdcompute.v1.json"]);
  const arrived: Json[] = [];
  let wake = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    arrived.push(JSON.parse(String(data)));
    wake.resolve();
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const send = (message: Json) => socket.send(JSON.stringify(message));
  async function next(): Promise<Json> {
    while (arrived.length === 0) {
      await wake.promise;
      wake = Promise.withResolvers();
    }
    return arrived.shift() ?? {};
  }
  return { send, next, close: () => socket.close() };
}

async function authenticate({ send, next }: Awaited<ReturnType<typeof connect>>): Promise<Json> {
  const [, , keyId = "", secret = ""] = readFileSync(findPaths(world.env).localAdminKey, "utf8")
    .trim()
    .split("_");
  const derive = (info: string) =>
    Buffer.from(hkdfSync("sha256", fromBase32(secret), Buffer.alloc(0), info, 32));
  const nonce = randomBytes(32);
  send({
    type: "hello",
    version: 1,
    program_version: "0.0.1",
    role: "client",
    key_id: keyId,
    nonce: nonce.toString("base64"),
    target: url.host,
  });
  const challenge = await next();
  const fields = [
    "1",
    "client",
    keyId,
    nonce,
    Buffer.from(String(challenge["nonce"]), "base64"),
    url.host,
    String(challenge["foreman_id"]),
    String(challenge["epoch"]),
    "none",
  ];
  const transcript = Buffer.concat([Buffer.from("cc-auth-1"), ...fields.map(lengthPrefixed)]);
  const mac = (info: string) =>
    createHmac("sha256", derive(info)).update(transcript).digest("base64");
  expect(challenge["mac"]).toBe(mac("f2c"));
  send({ type: "authenticate", mac: mac("c2f") });
  return await next();
}

const SPEC = {
  name: "from-the-page",
  note: null,
  queue: "default",
  role: null,
  metadata: {},
  priority: 0,
  work: {
    kind: "command",
    argv: ["echo", "got", "{}"],
    shell: false,
    placeholder: null,
    stdin: false,
    scratch: false,
    cwd: "/",
  },
  input: { product_sources: 0, chunk: 0, none: false },
  retries: 0,
  backoff_seconds: 1,
  timeout_seconds: null,
  max_crashes: 3,
  max_fails: { kind: "default" },
  max_running: null,
  delay_seconds: 0,
  after: [],
  time_request_seconds: null,
  cpus: 1,
  memory_bytes: null,
  resources: {},
  worker_labels: {},
  env: {},
  seed: 0,
  attached: false,
  submitted_from: { host: "here", user: "me", folder: "/", command_line: "json-client" },
};

test("it proves its key, submits two tasks and reads their results in order", async () => {
  const connection = await connect();
  const { send, next } = connection;
  expect(await authenticate(connection)).toMatchObject({ type: "welcome" });
  send({
    type: "submit_job",
    request: 1,
    submission_id: "json-client-1",
    resumable: false,
    spec: SPEC,
    count: 2,
    input: ["a b", 7],
    close: true,
  });
  const accepted = await next();
  expect(accepted).toMatchObject({ type: "job_accepted", request: 1, next_index: 2 });
  const rows: Json[] = [];
  for (let after: unknown = 0, end: unknown = false; end !== true; ) {
    send({
      type: "read_results",
      request: 2,
      job_id: accepted["job_id"],
      order: "index",
      after,
      bytes_max: 1_000_000,
      wait: true,
      skip_holes: false,
    });
    const results = await next();
    expect(results["type"]).toBe("results");
    rows.push(results);
    after = results["next_after"];
    end = results["end"];
  }
  const values = rows.flatMap(({ value }) => value as { $value: string }[]);
  const stdouts = values.map(({ $value }) => {
    const bytes = Buffer.from($value, "base64");
    expect(bytes[0]).toBe(4);
    const stdoutAt = 1 + 4 + 1 + (bytes[5] ?? 0) + 4 + 4;
    return bytes.subarray(stdoutAt, stdoutAt + bytes.readUInt32LE(stdoutAt - 4)).toString();
  });
  expect(stdouts).toEqual(["got a b\n", "got 7\n"]);
  connection.close();
});

test("a question of an unknown type is answered, and the connection goes on", async () => {
  const connection = await connect();
  await authenticate(connection);
  connection.send({ type: "who_knows", request: 5 });
  expect(await connection.next()).toMatchObject({
    type: "error",
    request: 5,
    code: "unknown_message",
  });
  connection.send({ type: "get_job", request: 6, job_id: 4711 });
  expect(await connection.next()).toMatchObject({ type: "error", request: 6, code: "no_such_job" });
  connection.close();
});
