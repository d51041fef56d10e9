/** Asking an etcd who it is and what it can do, before anything is believed of it or written there. */
import type { Clock } from "../../src/ports/clock.js";
import { EtcdError, type Etcd } from "./etcd.js";
import { transaction } from "./transaction.js";

/** What an etcd is. */
export interface Introduction {
  readonly clusterId: bigint;
  readonly revision: bigint;
  /** Of every member that answered: "3.6.8". */
  readonly versions: readonly string[];
}

/** It will never do, however long one waits. */
export class EtcdUnsuitable extends Error {
  override readonly name = "EtcdUnsuitable";
  constructor(
    message: string,
    /** The way out, for people. */
    readonly fix: string,
  ) {
    super(message);
  }
}

/** The oldest release whose watches and leases the mirror knows; older ones are out of support since 2022. */
const OLDEST: readonly [major: number, minor: number] = [3, 4];

/**
 * NB: nothing is written. Backends that only look like etcd (kine) refuse every transaction of several operations, reading ones
 * too, so that two reads are probe enough.
 *
 * @throws EtcdError for what may pass, EtcdUnsuitable for what does not
 */
export async function introduce(etcd: Etcd, signal: AbortSignal): Promise<Introduction> {
  const call = { signal };
  const members = await etcd.members(call);
  const versions = [...new Set(members.map(({ version }) => version))];
  const old = versions.find(isTooOld);
  if (old !== undefined) {
    throw new EtcdUnsuitable(
      `the ${etcd.name} is etcd ${old}, and 3.4 is the oldest that the mirror knows`,
      "upgrade that etcd",
    );
  }
  try {
    const gets = ["/svc-ferry/a", "/svc-ferry/b"].map((key) => ({ kind: "get", key }) as const);
    const { header } = await etcd.txn(transaction([], gets, []), call);
    return { clusterId: header.clusterId, revision: header.revision, versions };
  } catch (error) {
    if (!(error instanceof EtcdError) || error.kind !== "unsupported") throw error;
    throw new EtcdUnsuitable(
      `the ${etcd.name} refuses transactions of several operations: it is no etcd, or something in front of one`,
      "the mirror needs etcd itself; kine (k3s without embedded etcd) and the like do not do",
    );
  }
}

/** Versions of others say nothing of what they can do: the probe does. */
function isTooOld(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  const [oldestMajor, oldestMinor] = OLDEST;
  return Number(major) === oldestMajor ? Number(minor) < oldestMinor : Number(major) < oldestMajor;
}

/** Between two attempts to reach an etcd at start. */
const RETRY_MS = 1_000;

export interface Patience {
  readonly clock: Clock;
  /** Hears of each trouble that is another than the one before; undefined: it is over. */
  readonly onTrouble: (error: EtcdError | undefined) => void;
}

/**
 * Introduces for as long as it takes. undefined: aborted meanwhile.
 * @throws EtcdUnsuitable
 */
export async function untilIntroduced(
  etcd: Etcd,
  { clock, onTrouble }: Patience,
  signal: AbortSignal,
): Promise<Introduction | undefined> {
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      const introduction = await introduce(etcd, signal);
      if (told !== undefined) onTrouble(undefined);
      return introduction;
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
