/** Why a port could not be had, in words that say what to do. */
import { CcError, toCcError } from "../protocol/error.ts";

export function listenFault(
  thrown: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): CcError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  switch (code) {
    case "EADDRINUSE":
      return new CcError({
        code: "address_in_use",
        message: `Port ${port} of ${host} is in use by another program.`,
        hint: "If that is a foreman, use it (`cc jobs` tells); else choose another port: --port 0 takes any free one.",
        exitCode: 69,
        retryable: true,
        cause: thrown,
      });
    case "EACCES":
      return new CcError({
        code: "port_not_permitted",
        message: `This account may not listen on port ${port} of ${host}.`,
        hint: "Choose a port above 1023 with --port.",
        exitCode: 77,
        cause: thrown,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new CcError({
        code: "address_unknown",
        message: `${host} is no address of this machine.`,
        hint: "Give --host an address of this machine; the default is 127.0.0.1.",
        exitCode: 69,
        cause: thrown,
      });
    default:
      return toCcError(thrown);
  }
}
