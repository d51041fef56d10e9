/** Whether an etcd can be mirrored from or to, found out before anything is copied. */
import { type Etcd, type EtcdCallOptions, EtcdError, type MemberStatus } from "./etcd.js";

export type Capability =
  | {
      readonly kind: "ok";
      readonly clusterId: bigint;
      /** The oldest member's; "" when the user may not ask for it. */
      readonly version: string;
    }
  /** For a person: what it is, and what would do. */
  | { readonly kind: "refused"; readonly message: string };

/** Nobody writes it: its absence is what the probe compares. */
const PROBE = "/svc-ferry/probe";

/**
 * Looks at the members' versions and runs one transaction of the shape that every write of the mirror has: several
 * operations, under a comparison of another key. It deletes two keys that do not exist, so it changes nothing, not even the
 * revision.
 * @param role a source is only read: the transaction is left out, as its user may lack the right to write
 * @throws EtcdError when it cannot be reached; try again
 */
export async function probe(
  etcd: Etcd,
  role: "source" | "destination",
  call: EtcdCallOptions,
): Promise<Capability> {
  const found = await judge(etcd, call);
  if (found.kind === "refused" || role === "source") return found;
  if (await takesTransactions(etcd, call)) return found;
  return {
    kind: "refused",
    message: `${etcd.name} takes no transactions of several operations (kine does not): the mirror needs a real etcd`,
  };
}

/** Changes nothing, not even the revision. @throws EtcdError for all but the refusal */
export async function takesTransactions(etcd: Etcd, call: EtcdCallOptions): Promise<boolean> {
  try {
    await etcd.txn(
      {
        compare: [{ key: `${PROBE}/guard`, target: "create", is: "=", value: 0n }],
        then: [
          { kind: "delete", key: `${PROBE}/a` },
          { kind: "delete", key: `${PROBE}/b` },
        ],
        otherwise: [],
      },
      call,
    );
    return true;
  } catch (error) {
    if (error instanceof EtcdError && error.kind === "unsupported") return false;
    throw error;
  }
}

/** With authentication etcd tells its status to users with the role root only; a version that is not told is "". */
async function judge(etcd: Etcd, call: EtcdCallOptions): Promise<Capability> {
  try {
    return judgeMembers(etcd.name, await etcd.members(call));
  } catch (error) {
    if (!(error instanceof EtcdError) || error.kind !== "permission") throw error;
    const { clusterId } = await etcd.revision(call);
    return { kind: "ok", clusterId, version: "" };
  }
}

/** Pure: what the members' own words allow. The oldest of them decides. */
export function judgeMembers(name: string, members: readonly MemberStatus[]): Capability {
  const voters = members.filter(({ isLearner }) => !isLearner);
  const [first] = voters;
  if (first === undefined) {
    return { kind: "refused", message: `${name} has learners only behind these endpoints` };
  }
  const odd = voters.find(({ version }) => minorOf(version) === undefined);
  if (odd !== undefined) {
    const message = `${name} (${odd.endpoint}) does not tell a version of etcd 3: it is no etcd`;
    return { kind: "refused", message };
  }
  const oldest = voters.toSorted((a, b) => order(a.version) - order(b.version))[0] ?? first;
  if ((minorOf(oldest.version) ?? 0) < OLDEST_MINOR) {
    const message = `${name} (${oldest.endpoint}) is etcd ${oldest.version}; 3.4 is the oldest that works`;
    return { kind: "refused", message };
  }
  return { kind: "ok", clusterId: first.header.clusterId, version: oldest.version };
}

/** One side of a mirror, as far as its twin matters. */
export interface Side {
  readonly clusterId: bigint;
  /** "/registry/": everything below it is read there, or written. */
  readonly prefix: string;
}

/** Pure: why these two cannot be source and destination of one mirror; undefined when they can. */
export function whyNotBoth(source: Side, destination: Side): string | undefined {
  if (source.clusterId !== destination.clusterId) return undefined;
  const overlap =
    source.prefix.startsWith(destination.prefix) || destination.prefix.startsWith(source.prefix);
  return overlap
    ? `source and destination are the same etcd, and ${source.prefix} and ${destination.prefix} overlap: it would mirror itself`
    : undefined;
}

/** With fragments, learners and progress on request. */
const OLDEST_MINOR = 4;

function minorOf(version: string): number | undefined {
  const minor = /^3\.(\d+)\.\d+/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

function order(version: string): number {
  const [, minor = "0", patch = "0"] = /^3\.(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(minor) * 1_000 + Number(patch);
}
