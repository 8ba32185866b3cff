/** The generated documents say what the code says, and the JSON Schema holds for real frames. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { renderCommandsPage } from "../../scripts/commands-page.ts";
import { renderEventsPage } from "../../scripts/events-page.ts";
import { renderMonitorPage } from "../../scripts/monitor-page.ts";
import { MESSAGE_GROUPS } from "../../scripts/protocol-notes.ts";
import { renderProtocolPage } from "../../scripts/protocol-page.ts";
import {
  type JsonSchema,
  renderProtocolSchema,
  schemaDefinitions,
} from "../../scripts/protocol-schema.ts";
import { ValueColumnBuilder } from "../../src/runtime/protocol/columns.ts";
import { encodeFrame } from "../../src/runtime/protocol/frames.ts";
import { type Message, messageSchemas } from "../../src/runtime/protocol/messages.ts";
import { encodeValue } from "../../src/runtime/protocol/value.ts";
import { commandSpec, workerFacts } from "../runtime/store/builders.ts";

const DOCS = resolve(import.meta.dir, "..", "..", "docs");

describe("generated documents", () => {
  const pages = {
    "commands.md": renderCommandsPage,
    "events.md": renderEventsPage,
    "monitor.md": renderMonitorPage,
    "protocol.md": renderProtocolPage,
    "protocol.schema.json": renderProtocolSchema,
  };
  for (const [name, render] of Object.entries(pages)) {
    test(`docs/${name} is fresh (npm run generate)`, () => {
      expect(readFileSync(join(DOCS, name), "utf8")).toBe(render());
    });
  }

  test("the protocol's page has every message once", () => {
    const types = MESSAGE_GROUPS.flatMap((group) => group.types);
    expect([...types].sort()).toEqual([...messageSchemas.keys()].sort() as typeof types);
  });
});

describe("the JSON Schema", () => {
  const definitions = schemaDefinitions();

  test("names nothing that it does not define", () => {
    const named = [...renderProtocolSchema().matchAll(/"\$ref": "#\/\$defs\/(\w+)"/g)];
    for (const [, name = ""] of named) expect(Object.keys(definitions)).toContain(name);
  });

  const values = new ValueColumnBuilder();
  for (const value of ["text", 12n, undefined]) encodeValue(value, values);
  const messages: readonly Message[] = [
    {
      type: "submit_job",
      request: 1,
      submission_id: "s",
      resumable: false,
      spec: commandSpec({ timeout_seconds: 3, max_fails: { kind: "percent", percent: 5 } }),
      count: 3,
      input: values.take(),
      close: true,
    },
    {
      type: "worker_ready",
      worker_id: "w",
      boot_id: "boot-boot",
      connection_seq: 1,
      offer: workerFacts("w").offer,
      inventory: [{ assignment: 2 ** 32 + 1, index: Uint32Array.of(4, 5) }],
      acknowledged_seq: 0,
    },
    { type: "subscribe", request: 2, view: { kind: "task", job_id: 1, index: 0 }, follow: false },
    { type: "blob_chunk", request: 0, sha256: "a".repeat(64), number: 0, data: Uint8Array.of(1) },
    { type: "announce", offer: workerFacts("w").offer, accepting: false, reason: null },
  ];
  for (const message of messages) {
    test(`holds for a ${message.type} as it travels`, () => {
      const frame: unknown = JSON.parse(String(encodeFrame(message, "json")));
      expect(problemsOf(frame, { $ref: `#/$defs/${message.type}` })).toEqual([]);
    });
  }

  test("refuses a field of the wrong type, and one that is missing", () => {
    const schema = { $ref: "#/$defs/heartbeat_echo" };
    expect(problemsOf({ type: "heartbeat_echo", beat: "1" }, schema)).toHaveLength(1);
    expect(problemsOf({ type: "heartbeat_echo" }, schema)).toHaveLength(1);
  });

  /** As much of JSON Schema as ours uses. */
  function problemsOf(value: unknown, schema: JsonSchema, path = ""): readonly string[] {
    if (schema.$ref !== undefined) {
      return problemsOf(value, definitions[schema.$ref.replace("#/$defs/", "")] ?? {}, path);
    }
    const variants = (schema.oneOf ?? schema.anyOf) as readonly JsonSchema[] | undefined;
    if (variants) {
      const fits = variants.some((variant) => problemsOf(value, variant, path).length === 0);
      return fits ? [] : [`${path}: fits no variant`];
    }
    if (schema.const !== undefined) return value === schema.const ? [] : [`${path}: not const`];
    if (schema.enum && !schema.enum.includes(value as string)) return [`${path}: not in enum`];
    if (!hasType(value, schema.type)) return [`${path}: not ${String(schema.type)}`];
    if (Array.isArray(value)) {
      return value.flatMap((each, i) =>
        problemsOf(each, (schema.items ?? {}) as JsonSchema, `${path}[${i}]`),
      );
    }
    if (typeof value !== "object" || value === null) return [];
    const missing = (schema.required ?? []).filter((name) => !(name in value));
    const rest = (schema.additionalProperties ?? {}) as JsonSchema;
    return [
      ...missing.map((name) => `${path}.${name}: missing`),
      ...Object.entries(value).flatMap(([name, field]) =>
        problemsOf(field, (schema.properties?.[name] ?? rest) as JsonSchema, `${path}.${name}`),
      ),
    ];
  }

  function hasType(value: unknown, type: JsonSchema["type"] | readonly string[]): boolean {
    if (type === undefined) return true;
    if (Array.isArray(type)) return type.some((each) => hasType(value, each));
    if (type === "integer") return Number.isInteger(value);
    if (type === "array") return Array.isArray(value);
    if (type === "null") return value === null;
    return typeof value === type && value !== null && !Array.isArray(value);
  }
});
