/**
 * The module that a job file gets for `import … from "crowdcompute"`. It is bundled into every job
 * that asks for it, so it must stay tiny, import nothing, and never know the worker it runs on.
 */

/** Plugin namespace and source-map name of the module; frames in it are never shown. */
export const CROWDCOMPUTE_NAMESPACE = "crowdcompute-runtime";

/**
 * Each bundle carries a copy of its own, so an error is recognised by the registered symbol and never
 * by `instanceof`; see `describe-thrown.ts`.
 */
export const CROWDCOMPUTE_SOURCE = `
const PERMANENT = Symbol.for("crowdcompute.permanent");

export class PermanentError extends Error {
  constructor(message, options = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "PermanentError";
    this.code = options.code;
  }

  get [PERMANENT]() {
    return true;
  }
}
`;
