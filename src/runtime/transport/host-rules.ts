/**
 * Which names a request may call this foreman by. A browser that was tricked by DNS rebinding sends
 * the attacker's name, so only loopback, the bound address and the foreman's own names are accepted.
 */
import { hostname } from "node:os";

export interface HostRules {
  /** The host that the foreman was asked to listen on. */
  readonly boundHost: string;
  /** Further names by which it may be reached. */
  readonly hostNames: readonly string[];
}

/** `localAddress`, where this connection arrived, cannot be rebound: it is a number, not a name. */
export function isHostAllowed(
  hostHeader: string,
  localAddress: string | undefined,
  rules: HostRules,
): boolean {
  const host = hostOf(hostHeader);
  if (host === null) return false;
  if (isLoopbackHost(host)) return true;
  const allowed = [rules.boundHost, ...rules.hostNames];
  if (localAddress !== undefined) allowed.push(plainAddress(localAddress));
  if (isWildcardHost(rules.boundHost)) allowed.push(hostname());
  return allowed.some((name) => name.toLowerCase() === host);
}

/** `localhost`, 127.0.0.0/8 and ::1, as literals; no name is looked up. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** Listens on every address of the machine. */
export function isWildcardHost(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** An IPv4 address that arrived on an IPv6 socket, in its usual form. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** With brackets where a URL needs them. */
export function hostForUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Without port and brackets, in lower case; null when it is no host at all. */
function hostOf(header: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header.trim());
  return (match?.[1] ?? match?.[2])?.toLowerCase() ?? null;
}
