/** Every bound that peers must agree on, each with its reason. Tests go one beyond each. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** One WebSocket message; holds one value of the largest size with room for its columns. */
export const FRAME_BYTES_MAX = 16 * MIB;
/** Nesting of a frame, before anything is made of it. */
export const FRAME_DEPTH_MAX = 64;
/** Values and containers of a MessagePack frame: a list of 10,000 rows has some 400,000. */
export const FRAME_PARTS_MAX = 1_000_000;
/** Of a message's lists, which are checked one by one: a worker's inventory has three a batch. */
export const MESSAGE_PARTS_MAX = 100_000;
/** Before authentication a peer is a stranger: its frames carry two nonces and a name. */
export const FRAME_BYTES_MAX_UNAUTHENTICATED = 4 * KIB;
/** One input or one result, its kind byte included. */
export const VALUE_BYTES_MAX = 8 * MIB;
/**
 * What is recorded of a task and travels in one row: besides a result, or a stdout, of the largest size
 * there is room for what stands beside it (a command's kept stderr, a failure's words).
 */
export const RECORDED_BYTES_MAX = VALUE_BYTES_MAX + 256 * KIB;
/** One job's code after bundling. */
export const BUNDLE_BYTES_MAX = 64 * MIB;
/** Bundles travel in chunks, so that they never hold up a heartbeat for long. */
export const BLOB_CHUNK_BYTES = MIB;
/** What may wait in a socket for a slow peer, plus one frame. */
export const SEND_QUEUE_BYTES_MAX = 4 * MIB;
/** A handshake not finished by then is cut. */
export const AUTHENTICATION_DEADLINE_MS = 5_000;
/** Sockets of strangers from one address at a time. */
export const UNAUTHENTICATED_PER_ADDRESS_MAX = 100;
/** Tasks in one message, one assignment or one change: the size of a batch everywhere. */
export const BATCH_TASKS_MAX = 16_384;
/** What a submitter puts into one `submit_tasks`: large enough to be cheap, small enough to flow. */
export const SUBMIT_BATCH_BYTES = MIB;
/** Submitted bytes that a connection may have under way before it waits for an acknowledgement. */
export const SUBMIT_CREDIT_BYTES = 4 * MIB;
/** Tasks of one job: indexes are u32 and a job's live tasks cost a few bytes each. */
export const JOB_TASKS_MAX = 100_000_000;
/** The text of a job's options, as stored. */
export const JOB_SPEC_BYTES_MAX = 256 * KIB;
/** Kept of a command's stderr beside its result, and of a function's console beside a failure. */
export const KEPT_OUTPUT_BYTES = 64 * KIB;
/** Kept of what one attempt prints, head and tail; the middle is dropped and counted. */
export const LOG_BYTES_MAX = 8 * MIB;
/** Pieces of logs (about a line each) in one message. */
export const LOG_PIECES_MAX = 16_384;
/** What a worker puts into one `task_log`: little, so that results and heartbeats never wait long behind it. */
export const LOG_MESSAGE_BYTES = 256 * KIB;
/** A larger stdout of a command travels in such pieces, to the foreman and to readers. */
export const OUTPUT_CHUNK_BYTES = MIB;
/** Of one attempt. */
export const OUTPUT_BYTES_MAX = 8 * GIB;
/** Where an output must be one text (a row of jsonl or csv, the value for a `reduce`), no larger one is. */
export const OUTPUT_TEXT_BYTES_MAX = 64 * MIB;
/** Linux takes no single argument longer than this (MAX_ARG_STRLEN). */
export const ARGUMENT_BYTES_MAX = 128 * KIB;
/** `CC_INPUT` is set up to here; `CC_INPUT_FILE` always. */
export const INPUT_ENV_BYTES_MAX = 64 * KIB;
/** Nesting of a value: deep enough for data, far from the stack's end. */
export const VALUE_DEPTH_MAX = 500;
/** Names, notes, labels and reasons as a person types them. */
export const NAME_BYTES_MAX = 256;
export const NOTE_BYTES_MAX = 4 * KIB;
/** An error's message and stack as recorded. */
export const ERROR_MESSAGE_BYTES_MAX = 8 * KIB;
export const ERROR_STACK_BYTES_MAX = 16 * KIB;
/** Rows of one list or results answer. */
export const LIST_ROWS_MAX = 10_000;
/** Rows of one list on a monitor's screen, with what lies just outside it. */
export const MONITOR_ROWS_MAX = 500;
/** Unsuccessful attempts kept a job, newest last; beyond it only counts grow. */
export const ATTEMPT_ENDS_PER_JOB_MAX = 10_000;
/** Seconds that a worker remembers what its slots did: the widest a screen shows. */
export const LANE_SECONDS = 120;
/** Jobs that are told apart in that; a screen has letters for fewer. */
export const LANE_JOBS_MAX = 253;
/** A worker that nobody asks again goes quiet after so long. */
export const OBSERVE_SECONDS_MAX = 60;
