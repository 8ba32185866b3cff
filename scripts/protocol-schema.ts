/**
 * The JSON Schema of every message, from the same schemas that check frames: the shapes of the
 * sub-protocol `crowdcompute.v1.json`. What both encodings share is named once, under `$defs`.
 */
import * as z from "zod/mini";
import {
  inputShape,
  jobPatch,
  jobSpec,
  maxFails,
  workerOffer,
  workSpec,
} from "../src/runtime/protocol/job-spec.ts";
import { VALUE_BYTES_MAX } from "../src/runtime/protocol/limits.ts";
import { view } from "../src/runtime/protocol/messages/client.ts";
import { bytes, u32Column, u32List, valueColumn } from "../src/runtime/protocol/messages/fields.ts";
import { messageSchemas, SUBPROTOCOL_JSON } from "../src/runtime/protocol/messages.ts";

export type JsonSchema = z.core.JSONSchema.BaseSchema;

const U32 = { type: "integer", minimum: 0, maximum: 0xffffffff } as const;

/** Fields that decode from their wire form: a schema library cannot see through the decoder. */
const WIRE_FORMS: ReadonlyMap<unknown, readonly [name: string, schema: JsonSchema]> = new Map<
  unknown,
  readonly [string, JsonSchema]
>([
  [
    u32Column,
    [
      "u32_column",
      {
        description: "One u32 a row, or one number that holds for every row.",
        anyOf: [U32, { type: "array", items: U32 }],
      },
    ],
  ],
  [u32List, ["u32_list", { description: "One u32 a row.", type: "array", items: U32 }]],
  [
    valueColumn,
    [
      "value_column",
      {
        description: `One value a row, as tagged JSON; at most ${VALUE_BYTES_MAX} bytes each. Values without a JSON form of their own are {"$value": base64}.`,
        type: "array",
      },
    ],
  ],
  [
    bytes,
    ["bytes", { description: "Bytes, in base64.", type: "string", contentEncoding: "base64" }],
  ],
]);

/** Objects that several messages carry. */
export const SHARED_OBJECTS = {
  job_spec: jobSpec,
  work: workSpec,
  input_shape: inputShape,
  max_fails: maxFails,
  job_patch: jobPatch,
  worker_offer: workerOffer,
  view,
} as const;

/** By name: the wire forms, the shared objects and every message. */
export function schemaDefinitions(): Readonly<Record<string, JsonSchema>> {
  const definitions: Record<string, JsonSchema> = Object.fromEntries(WIRE_FORMS.values());
  for (const [name, schema] of Object.entries(SHARED_OBJECTS)) {
    definitions[name] = describe(schema);
  }
  for (const [type, schema] of messageSchemas) definitions[type] = describe(schema);
  return definitions;
}

export function renderProtocolSchema(): string {
  const schema: JsonSchema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `CrowdCompute, messages of ${SUBPROTOCOL_JSON}`,
    description:
      "Generated from the protocol module by npm run generate. Fields that are not named here are ignored.",
    oneOf: [...messageSchemas.keys()].map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs: { ...schemaDefinitions() },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function describe(schema: z.core.$ZodType): JsonSchema {
  const names = new Map<unknown, string>(
    Object.entries(SHARED_OBJECTS).map(([name, shared]) => [shared, name]),
  );
  for (const [field, [name]] of WIRE_FORMS) names.set(field, name);
  const described = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const name = zodSchema === schema ? undefined : names.get(zodSchema);
      if (name !== undefined) replaceBy(jsonSchema, { $ref: `#/$defs/${name}` });
    },
  });
  const { $schema: _, ...rest } = described;
  return rest as JsonSchema;
}

function replaceBy(target: object, replacement: JsonSchema): void {
  for (const key of Object.keys(target)) Reflect.deleteProperty(target, key);
  Object.assign(target, replacement);
}
