/**
 * Who may do what: one row a message type, deny by default. A key's scopes come from its row in the
 * store; `admin` includes everything.
 */
import { CcError } from "../../protocol/error.ts";
import type { MessageType } from "../../protocol/messages.ts";
import type { Peer, Scope } from "../../transport/channel.ts";

/** Messages that a client may send, and the scope each needs. */
export const RIGHTS: Readonly<Partial<Record<MessageType, Scope>>> = {
  submit_job: "submit",
  submit_tasks: "submit",
  close_job: "submit",
  update_job: "submit",
  cancel_job: "submit",
  retry_job: "submit",
  remove_job: "submit",
  blob_offer: "submit",
  blob_chunk: "submit",
  blob_done: "submit",
  // `cc try` runs a job's code here; whoever may submit may read what was submitted.
  blob_need: "submit",
  follow_jobs: "view",
  get_job: "view",
  read_results: "view",
  read_output: "view",
  read_events: "view",
  read_logs: "view",
  subscribe: "view",
  unsubscribe: "view",
  update_worker: "admin",
  drain_worker: "admin",
  collect_garbage: "admin",
  shutdown: "admin",
  goodbye: "view",
};

/** null: allowed. */
export function accessRefusal(peer: Peer, type: MessageType): CcError | null {
  const needed = RIGHTS[type];
  if (needed === undefined) {
    return new CcError({
      code: "unexpected_message",
      message: `A client does not send ${type}.`,
      hint: "See docs/protocol.md for what each side sends.",
    });
  }
  if (peer.scopes.includes("admin") || peer.scopes.includes(needed)) return null;
  return forbidden(peer, needed);
}

/** Others' jobs belong to `admin`; a submitter steers its own. */
export function ownerRefusal(peer: Peer, owner: string): CcError | null {
  if (peer.scopes.includes("admin") || peer.owner === owner) return null;
  return new CcError({
    code: "forbidden",
    message: `The job belongs to ${owner}, and this key is ${peer.owner}'s.`,
    hint: "Use the owner's key, or one with the scope admin.",
    exitCode: 3,
  });
}

function forbidden(peer: Peer, needed: Scope): CcError {
  return new CcError({
    code: "forbidden",
    message: `The key ${peer.keyId} may not do this: it has ${peer.scopes.join(", ") || "no scope"}, needed is ${needed}.`,
    hint: "Use a key with that scope: --key-file FILE.",
    exitCode: 3,
  });
}
