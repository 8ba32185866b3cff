/**
 * The only source of chance outside the scheduler's seeded generator. Everything secret comes from
 * `secureBytes`; `chance` is for jitter alone.
 */
import { randomBytes, randomUUID } from "node:crypto";

/** Cryptographically strong bytes. */
export type SecureBytes = (count: number) => Uint8Array;

/** A number from 0 (inclusive) to 1 (exclusive). */
export type Chance = () => number;

export const secureBytes: SecureBytes = (count) => new Uint8Array(randomBytes(count));

export const uuid = (): string => randomUUID();

export const chance: Chance = () => Math.random();

/** Seeds a generator of its own, such as the scheduler's: an unsigned 32-bit number. */
export const randomSeed = (): number => randomBytes(4).readUInt32LE();
