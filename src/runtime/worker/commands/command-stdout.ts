/**
 * A command's stdout, never shortened: kept here up to the size of a value, and from there on handed to
 * the foreman as it comes, from its first byte. Where that cannot be it is too large, and dropped.
 */
import type { StoredOutput } from "../../protocol/command-outcome.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import type { OutputRefusal, OutputUpload, UploadEnd } from "../outputs/output-upload.ts";
import { createWholeOutput } from "./bounded-output.ts";

/** Begins an upload; null: there is nobody to take it. */
export type OpenUpload = (onRefused: (refusal: OutputRefusal) => void) => OutputUpload | null;

export interface CommandStdout {
  /** Where it answers, the next bytes are to come after that. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /** Once nothing comes any more: resolves when all of it has its place. */
  finish(): Promise<KeptStdout>;
  /** Nobody wants what is on its way. */
  abandon(): void;
}

export interface KeptStdout {
  /** The beginning, where it was too large. */
  readonly stdout: Uint8Array;
  /** All of it lies there instead. */
  readonly storedStdout?: StoredOutput | undefined;
  /** Why it has no place; null: it has, or was abandoned. */
  readonly refusal: OutputRefusal | null;
  readonly wasAbandoned: boolean;
}

export interface CommandStdoutOptions {
  readonly openUpload: OpenUpload | null;
  /** Called once. */
  readonly onRefused: (refusal: OutputRefusal) => void;
}

export function createCommandStdout({
  openUpload,
  onRefused,
}: CommandStdoutOptions): CommandStdout {
  let whole = createWholeOutput(VALUE_BYTES_MAX);
  let upload: OutputUpload | null = null;
  let refusal: OutputRefusal | null = null;

  function refuse(why: OutputRefusal): void {
    refusal = why;
    onRefused(why);
  }

  /** What was kept goes ahead. */
  function overflow(bytes: Uint8Array): Promise<void> | undefined {
    upload = openUpload?.(refuse) ?? null;
    if (upload === null) {
      refuse(TOO_LARGE);
      return undefined;
    }
    upload.push(whole.take());
    whole = createWholeOutput(0);
    return upload.push(bytes);
  }

  return {
    push(bytes) {
      if (refusal !== null) return undefined;
      if (upload !== null) return upload.push(bytes);
      return whole.push(bytes) ? undefined : overflow(bytes);
    },
    async finish() {
      const end = upload === null ? null : await upload.finish();
      return keptOf(end, refusal, whole.take());
    },
    abandon: () => upload?.abandon(),
  };
}

function keptOf(
  end: UploadEnd | null,
  refusal: OutputRefusal | null,
  stdout: Uint8Array,
): KeptStdout {
  const wasAbandoned = end?.kind === "abandoned";
  if (end?.kind !== "kept") return { stdout, refusal, wasAbandoned };
  return { stdout, storedStdout: end.stored, refusal, wasAbandoned };
}

const TOO_LARGE: OutputRefusal = {
  code: "result_too_large",
  message: `The command printed more than ${VALUE_BYTES_MAX / 2 ** 20} MiB to stdout, which is its result.`,
};
