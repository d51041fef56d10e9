/** Asking an etcd who it is and what it can do, for as long as it takes: nothing is believed of it, or written there, before. */
import type { Clock } from "../../src/ports/clock.js";
import { probe, type Capability } from "./capability.js";
import { EtcdError, type Etcd } from "./etcd.js";

/** What an etcd is. */
export type Introduction = Extract<Capability, { readonly kind: "ok" }>;

/** It will never do, however long one waits. */
export class EtcdUnsuitable extends Error {
  override readonly name = "EtcdUnsuitable";
}

/** Between two attempts to reach an etcd at start. */
const RETRY_MS = 1_000;

export interface Introducing {
  readonly role: "source" | "destination";
  readonly clock: Clock;
  /** Hears of each trouble that is another than the one before. */
  readonly onTrouble: (error: EtcdError) => void;
}

/** @throws EtcdError for what may pass, EtcdUnsuitable for what does not */
export async function introduce(
  etcd: Etcd,
  role: Introducing["role"],
  signal: AbortSignal,
): Promise<Introduction> {
  const found = await probe(etcd, role, { signal });
  if (found.kind === "refused") throw new EtcdUnsuitable(found.message);
  return found;
}

/**
 * undefined: aborted meanwhile.
 * @throws EtcdUnsuitable
 */
export async function untilIntroduced(
  etcd: Etcd,
  { role, clock, onTrouble }: Introducing,
  signal: AbortSignal,
): Promise<Introduction | undefined> {
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      return await introduce(etcd, role, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof EtcdError)) throw error;
      if (error.message !== told) onTrouble(error);
      told = error.message;
      await clock.sleep(RETRY_MS, signal);
    }
  }
  return undefined;
}
