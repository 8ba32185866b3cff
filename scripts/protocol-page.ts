/** Writes `docs/protocol.md`: what a program in another language needs to be a client or a worker. */
import { RIGHTS } from "../src/runtime/foreman/clients/access.ts";
import {
  AUTHENTICATION_DEADLINE_MS,
  BATCH_TASKS_MAX,
  BLOB_CHUNK_BYTES,
  BUNDLE_BYTES_MAX,
  FRAME_BYTES_MAX,
  FRAME_BYTES_MAX_UNAUTHENTICATED,
  FRAME_DEPTH_MAX,
  FRAME_PARTS_MAX,
  JOB_TASKS_MAX,
  LOG_BYTES_MAX,
  MESSAGE_PARTS_MAX,
  OUTPUT_BYTES_MAX,
  OUTPUT_CHUNK_BYTES,
  SEND_QUEUE_BYTES_MAX,
  SUBMIT_CREDIT_BYTES,
  VALUE_BYTES_MAX,
  VALUE_DEPTH_MAX,
} from "../src/runtime/protocol/limits.ts";
import {
  FEATURE_LARGE_OUTPUTS,
  FEATURE_LOGS,
  type MessageType,
  PROTOCOL_VERSION,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
} from "../src/runtime/protocol/messages.ts";
import { deriveVerifier } from "../src/runtime/transport/keys.ts";
import { proofOver, transcriptOf } from "../src/runtime/transport/transcript.ts";
import { type DefinitionComments, readComments } from "./field-comments.ts";
import { MESSAGE_GROUPS, MESSAGE_NOTES } from "./protocol-notes.ts";
import { type JsonSchema, schemaDefinitions } from "./protocol-schema.ts";

/** Shared objects and the constant that describes each. */
const OBJECTS: readonly (readonly [name: string, source: string, about: string])[] = [
  ["job_spec", "jobSpec", "Everything that was decided at submission."],
  ["work", "commandWork", "What a task runs: a bundle's default export, or a command."],
  ["input_shape", "inputShape", "How a task's input was made."],
  [
    "max_fails",
    "maxFails",
    "When the rest of a job is cancelled because tasks fail. `default`: when the first 20 settled tasks all failed, on at least two workers where two are connected.",
  ],
  ["job_patch", "jobPatch", "What may be changed of a job."],
  ["worker_offer", "workerOffer", "What a worker offers."],
  ["view", "view", "What can be looked at. A `limit` of 0 means all."],
];

export function renderProtocolPage(): string {
  const definitions = schemaDefinitions();
  const comments = readComments();
  const messages = MESSAGE_GROUPS.map(({ title, types }) =>
    [`### ${title}`, ...types.map((type) => renderMessage(type, definitions, comments))].join(
      "\n\n",
    ),
  );
  const objects = OBJECTS.map(([name, source, about]) =>
    [`### ${name}`, about, ...tablesOf(definitions[name] ?? {}, comments.get(source))].join("\n\n"),
  );
  return `${[introduction(), handshake(), CONVERSATIONS, "## Messages", ...messages, "## Objects", ...objects].join("\n\n")}\n`;
}

const MIB = 1024 ** 2;

const introduction = (): string => `# Protocol

Generated from the protocol module by \`npm run generate\`. The same shapes as a JSON Schema: [\`protocol.schema.json\`](protocol.schema.json). This is protocol version ${PROTOCOL_VERSION}.

A foreman has one port. \`GET /health\` answers there without a key; everything else is a WebSocket at \`/ws\`, on which clients (whatever submits, looks or steers) and workers speak. A request with an \`Origin\` header (a web page's), or with a \`Host\` that is neither loopback nor one of the foreman's own addresses, is refused.

## Frames

The sub-protocol that the client offers decides the encoding of every frame; a frame is one message, an object whose \`type\` says which.

| sub-protocol | frames | a \`u32_column\` | a \`value_column\` | \`bytes\` |
|---|---|---|---|---|
| \`${SUBPROTOCOL_MSGPACK}\` | binary, MessagePack | \`bin\` of u32 little-endian, or one integer for all rows | \`{lengths: u32_column, data: bin}\`, the values one after the other | \`bin\` |
| \`${SUBPROTOCOL_JSON}\` | text, JSON | array, or one integer for all rows | array of JSON values | base64 text |

Tasks travel in columns: field by field, all rows of a batch together, never an object a task. A field may be absent where the tables below say "optional"; it is never null unless they say so. Unknown fields are ignored. A message of an unknown type is answered with \`error\` (\`unknown_message\`, with the \`request\` of the question) and the connection goes on; a malformed one is answered with \`error\` and closes the connection with code 1007. A text has at most 4,096 characters unless the table says otherwise.

| limit | |
|---|---|
| a frame | ${FRAME_BYTES_MAX / MIB} MiB; before authentication ${FRAME_BYTES_MAX_UNAUTHENTICATED / 1024} KiB. Beyond it: close code 1009 |
| an input or a result | ${VALUE_BYTES_MAX / MIB} MiB, nested at most ${VALUE_DEPTH_MAX} levels deep |
| what a frame is made of | ${FRAME_PARTS_MAX.toLocaleString("en")} parts and ${FRAME_DEPTH_MAX} levels, columns and values counting as one part each; no MessagePack extension types; lists of a message ${MESSAGE_PARTS_MAX.toLocaleString("en")} parts |
| rows of a batch | ${BATCH_TASKS_MAX.toLocaleString("en-US")} |
| tasks of a job | ${JOB_TASKS_MAX.toLocaleString("en-US")} |
| a command's stdout | ${OUTPUT_BYTES_MAX / MIB / 1024} GiB, in chunks of ${OUTPUT_CHUNK_BYTES / MIB} MiB where it is larger than a result |
| a job's code | ${BUNDLE_BYTES_MAX / MIB} MiB, in chunks of ${BLOB_CHUNK_BYTES / MIB} MiB |
| inputs under way | what \`credit_bytes\` says, ${SUBMIT_CREDIT_BYTES / MIB} MiB |
| waiting for a slow peer | ${SEND_QUEUE_BYTES_MAX / MIB} MiB and a frame; beyond it: close code 1008 |
| the handshake | ${AUTHENTICATION_DEADLINE_MS / 1000} s |

### Values

An input or a result is one kind byte and a body. The foreman carries values and never looks into one.

| kind | body |
|---|---|
| 0 | none: \`undefined\` |
| 1 | JSON text |
| 2 | JSON text in which \`{"$date": …}\`, \`{"$bigint": "12"}\`, \`{"$bytes": base64}\`, \`{"$map": [[k, v]]}\`, \`{"$set": […]}\`, \`{"$number": "NaN"}\` and \`{"$undefined": true}\` stand for what JSON lacks; an object whose only key begins with \`$\` has that key doubled |
| 3 | raw bytes |
| 4 | how a command ended, little-endian: i32 exit code (-1: none), u8 length and text of the signal, u32 count of dropped stderr bytes, u32 length of stdout, stdout, stderr |
| 5 | a failure: u32 little-endian length of a JSON text \`{code, message, stack?, console?, permanent?}\`, the text, then (of a command that had started) a value of kind 4 or 6 |
| 6 | as kind 4, where stdout is larger than a value and lies outside: in place of the length of stdout and stdout a u64 length of it, a u64 assignment (both below 2^53) and the 32 bytes of its SHA-256, then stderr. \`read_output\` reads it |

In JSON frames kinds 0 to 3 are tagged JSON, and kinds 4 to 6 \`{"$value": base64 of the whole value}\`.`;

/** A worked example, computed by the code that runs. */
function handshake(): string {
  const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
  const { kf, kc } = deriveVerifier(secret);
  const facts = {
    version: PROTOCOL_VERSION,
    role: "client",
    keyId: "abcdefgh",
    clientNonce: new Uint8Array(32).fill(0x11),
    foremanNonce: new Uint8Array(32).fill(0x22),
    target: "127.0.0.1:9000",
    foremanId: "f0",
    epoch: 7,
    channelBinding: "none",
  };
  const transcript = transcriptOf(facts);
  return `## Handshake

Both sides prove that they hold the same key, the foreman first. A key file is one line, \`cc_<role>_<key id>_<base32 of 32 secret bytes>\` (lower case, RFC 4648 without padding); the secret never travels.

1. \`hello\`: the peer's role (\`client\` or \`worker\`), its key's id, 32 random bytes, and the \`host:port\` that it dialled.
2. \`challenge\`: 32 random bytes of the foreman's, its identity, and \`mac = HMAC-SHA256(Kf, T)\`. A peer that computes another one closes the connection and says nothing.
3. \`authenticate\`: \`mac = HMAC-SHA256(Kc, T)\`.
4. \`welcome\`, or an \`error\` and close code 1008.

\`Kf\` and \`Kc\` are HKDF-SHA256 of the secret (no salt, 32 bytes) with the info \`f2c\` and \`c2f\`. \`T\` is the text \`cc-auth-1\` and then, each as its length (u32, big-endian) and its bytes: version, role, key id, the peer's nonce, the foreman's nonce, target, foreman id, epoch and the channel binding. Numbers are decimal text; the channel binding is \`none\` where the connection is not encrypted.

An example to check an implementation by: secret \`00 01 … 1f\`, version ${facts.version}, role \`${facts.role}\`, key id \`${facts.keyId}\`, the peer's nonce 32 times \`11\`, the foreman's 32 times \`22\`, target \`${facts.target}\`, foreman id \`${facts.foremanId}\`, epoch ${facts.epoch}, channel binding \`none\`:

\`\`\`
Kf            ${hex(kf)}
Kc            ${hex(kc)}
challenge     ${hex(proofOver(transcript, kf))}
authenticate  ${hex(proofOver(transcript, kc))}
\`\`\`

A key has scopes: \`view\`, \`submit\`, \`work\`, \`admin\`; \`admin\` includes the first two. The tables below name the scope that a client's message needs. Only \`admin\` steers jobs of other owners.`;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const CONVERSATIONS = `## Conversations

**Requests.** A client numbers its requests (\`request\`); each is answered once, under its number, by the message named below or by \`error\`. Any number may be under way.

**Submitting.** Code first: \`blob_offer\` with its SHA-256; where the answer is \`blob_need\`, the \`blob_chunk\`s and \`blob_done\`. Then \`submit_job\` with the specification and the first inputs, \`submit_tasks\` for the rest (at most \`credit_bytes\` of them unanswered), \`close_job\` at the end. An answer means that what it speaks of is on disk. After a lost connection \`submit_job\` again with the same \`submission_id\`: the answer's \`existing\`, \`next_index\` and \`input_crc32\` say what is there already.

**Results.** \`read_results\` with \`after: 0\`, then with \`next_after\` of each answer, until \`end\`. With \`wait\` an answer may take up to 30 s. Order by index needs no memory anywhere: the store is the re-order buffer.

**Logs.** \`read_logs\` forward from \`next_cursor\`, or backward from \`first_cursor\` of the answer before, until \`at_end\` or \`at_start\`; an answer may be without pieces in between. With \`wait\` it comes when something was printed, when what it was asked of has ended (\`finished\`), or after 30 s. Cursors stay what they are whatever is printed or dropped.

**Working.** After \`welcome\` a worker sends \`worker_ready\`: a name that it keeps (\`worker_id\`), a random \`boot_id\` for this start, the number of this connection, what it offers, and every task that it still holds. What matches goes on; what the foreman does not know is answered with \`cancel_task\`; what the foreman has and the worker lacks is queued again. Then
- \`heartbeat\` every \`heartbeat_seconds\` of the welcome; the whole session's lease of \`lease_seconds\` is renewed by it. A worker that hears no echo for that long is cut off: it drops the connection and dials again.
- \`assign_task\` brings tasks; what cannot run yet waits in the worker, and may be asked back (\`revoke_task\`, answered with \`tasks_returned\` for those that had not started).
- Reports (\`task_started\`, \`task_result\`, \`tasks_returned\`, \`tasks_gone\`) carry \`seq\`, from 1 in each boot. A worker keeps each until \`task_result_ack\` names that \`seq\` or a higher one, and sends those that are not acknowledged again after a reconnection, with their numbers.
- \`cancel_task\`: the tasks are settled already; the worker ends their processes and says \`tasks_gone\` when nothing is left of them.
- A command's stdout beyond ${VALUE_BYTES_MAX / MIB} MiB goes ahead of its result, where \`features\` of the welcome has \`${FEATURE_LARGE_OUTPUTS}\`: an \`output_chunk\` without data says how much is ready, \`output_chunk_ack\` grants bytes up to \`until_byte\`, chunks of at most ${OUTPUT_CHUNK_BYTES / MIB} MiB follow, and each answer says what is on disk. The first chunk begins at byte 0 of stdout. Once the one with \`last\` is answered with \`whole\`, the result of kind 6 may be sent; at most ${OUTPUT_BYTES_MAX / MIB / 1024} GiB a task. Without a grant the worker lets the command wait.
- What tasks print goes beside their results, where \`features\` has \`${FEATURE_LOGS}\`: \`task_log\` with parts of several attempts of one assignment, best before the result of each. It is kept until \`task_log_ack\` names its \`log_seq\`, and sent again with \`again\` after a reconnection. A byte keeps its place in its attempt's log, so what a worker dropped shows as a jump of \`first_byte\`; a part without pieces says that bytes were dropped at the end. Of an attempt ${LOG_BYTES_MAX / MIB} MiB are kept.
- Durations only: a worker never sends an instant.

**The fence.** Everything a worker says about a task carries \`(assignment, index)\`. What does not match the assignment that stands changes nothing and comes back in \`stale\` of the acknowledgement; what agrees with the record is a silent duplicate.

**Closing.** 1000: orderly. 1001: the foreman stops, come back. 1002, 1003, 1007: a frame broke the protocol. 1008: refused, or too slow a reader. 1009: a frame was over its limit. 1011: a fault of the foreman's. An \`error\` before it and the reason in the close frame say more.`;

type Definitions = Readonly<Record<string, JsonSchema>>;

function renderMessage(
  type: MessageType,
  definitions: Definitions,
  comments: ReadonlyMap<string, DefinitionComments>,
): string {
  const note = MESSAGE_NOTES[type];
  const described = comments.get(note.source);
  // Its first half says already what answers it.
  const about = described?.about?.replace(/ ?Answered with `\w+`[^.]*\./, "");
  const meaning = note.meaning ?? about;
  if (!meaning) throw new Error(`nothing says what ${type} means; add it to protocol-notes.ts`);
  const scope = note.from === "client" || type === "blob_need" ? RIGHTS[type] : undefined;
  const facts = [
    `From ${note.from === "either side" ? "either side" : `the ${note.from}`}`,
    ...(note.answer === undefined ? [] : [`answered with ${linkTypes(note.answer)}`]),
    ...(scope === undefined ? [] : [`needs \`${scope}\``]),
  ];
  return [
    `#### ${type}`,
    `${facts.join(" · ")}. ${meaning}`,
    fieldTable(definitions[type] ?? {}, described),
  ].join("\n\n");
}

const linkTypes = (types: string): string =>
  types.replace(
    /\w+_\w+|\bdone\b|\bresults\b|\bsnapshot\b|\bchallenge\b|\bauthenticate\b|\bwelcome\b/g,
    (type) => `[\`${type}\`](#${type})`,
  );

/** A table an object; of a union with nothing to explain, a row a variant. */
function tablesOf(schema: JsonSchema, comments: DefinitionComments | undefined): readonly string[] {
  const variants = schema.oneOf ?? schema.anyOf;
  if (!variants) return [fieldTable(schema, comments)];
  const objects = variants as readonly JsonSchema[];
  if (objects.some(({ properties }) => properties && "argv" in properties)) {
    return objects.map((variant) => fieldTable(variant, comments));
  }
  return [["| kind | fields |", "|---|---|", ...objects.map(variantRow)].join("\n")];
}

function variantRow(schema: JsonSchema): string {
  const { kind, ...fields } = schema.properties ?? {};
  const texts = Object.entries(fields).map(([name, field]) => {
    const optional = schema.required?.includes(name) ? "" : ", optional";
    return `\`${name}\` ${typeText(field as JsonSchema)}${optional}`;
  });
  return `| ${typeText((kind ?? {}) as JsonSchema)} | ${texts.join("; ")} |`;
}

function fieldTable(schema: JsonSchema, comments: DefinitionComments | undefined): string {
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "type");
  if (fields.length === 0) return "No further fields.";
  const rows = fields.map(([name, field]) => {
    const optional = schema.required?.includes(name) ? "" : ", optional";
    const about = comments?.fields.get(name) ?? "";
    return `| \`${name}\` | ${typeText(field as JsonSchema)}${optional} | ${escapeCell(about)} |`;
  });
  return ["| field | type | |", "|---|---|---|", ...rows].join("\n");
}

function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return refText(schema.$ref.replace("#/$defs/", ""));
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(" or ");
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.map((variant) => typeText(variant)).join(" or ");
  if (Array.isArray(schema.type)) return schema.type.join(" or ");
  switch (schema.type) {
    case "integer":
      return rangeText("integer", schema);
    case "number":
      return rangeText("number", schema);
    case "string":
      return stringText(schema);
    case "array":
      return `list of ${typeText((schema.items ?? {}) as JsonSchema)}`;
    case "object":
      return objectText(schema);
    case undefined:
      return "anything";
    default:
      return schema.type;
  }
}

/** Fields that decode from a wire form are explained once, at the top. */
function refText(name: string): string {
  const isObject = OBJECTS.some(([object]) => object === name);
  return isObject ? `[${name}](#${name})` : `${name}`;
}

const TEXT_LENGTH_MAX = 4_096;
const SHA256_PATTERN = "^[0-9a-f]{64}$";

function stringText({ maxLength, pattern }: JsonSchema): string {
  if (pattern === SHA256_PATTERN) return "SHA-256 in hex";
  const isUsual = maxLength === undefined || maxLength === TEXT_LENGTH_MAX;
  return isUsual ? "text" : `text of at most ${maxLength}`;
}

function rangeText(kind: string, { minimum, maximum }: JsonSchema): string {
  if (minimum === 0 && maximum === 0xffffffff) return "u32";
  const low = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? null : minimum;
  const high = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? null : maximum;
  if (low === null && high === null) return kind;
  if (high === null) return `${kind}, at least ${low}`;
  return `${kind}, ${low ?? "…"} to ${high}`;
}

function objectText(schema: JsonSchema): string {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(
      ([name, field]) => `${name}: ${typeText(field as JsonSchema)}`,
    );
    return `{${fields.join(", ")}}`;
  }
  return typeof additionalProperties === "object"
    ? `object of ${typeText(additionalProperties as JsonSchema)}`
    : "object";
}

const escapeCell = (text: string): string => text.replaceAll("|", "\\|");
