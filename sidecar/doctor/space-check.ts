/** Whether the destination's database has room: now, and for a first copy that is still to come. */
import { fail, ok, warn, type Check, type Outcome } from "../../src/doctor/check.js";
import type { LinkBooks } from "../commands/link-books.js";
import type { Etcd, MemberStatus } from "../etcd/etcd.js";
import { etcdCheck, etcdKey, type EtcdSubject } from "./etcd-subject.js";
import { ofMembers } from "./etcd-checks.js";
import { spaceFor, type CopySize, type FirstCopy } from "./first-copy.js";

/** Of the quota. Beyond it an etcd is on its way to the alarm that refuses all writes; the alert of docs/runbook-mirror.md has it too. */
const FULL = 0.8;
/** etcd's own default, which older ones than 3.6 do not tell. Source: etcd server/storage/quota.go DefaultQuotaBytes. */
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;

/** Of the fullest member, and of the one that may take least, bytes. */
export interface Room {
  /** What the file takes on disk: it never shrinks but by defragmentation. */
  readonly allocated: number;
  /** What is used of it: the rest is written before the file grows. */
  readonly inUse: number;
  readonly quota: number;
  /** The server has told its quota; false: it is etcd's default. */
  readonly isQuotaTold: boolean;
}

export interface SpaceParts {
  readonly books: (etcd: Etcd) => LinkBooks;
  /** Key of the check of the rules. */
  readonly rules: string;
  /** undefined: without rules there is nothing to copy. */
  readonly copy: () => Promise<FirstCopy | undefined>;
}

/** @param source has to be reached and readable, and both etcds' files right, before the copy can be measured */
export function spaceChecks(
  destination: EtcdSubject,
  source: EtcdSubject,
  { books, rules, copy }: SpaceParts,
): readonly Check[] {
  const copying = etcdCheck(destination, {
    id: "etcd-first-copy",
    after: ["etcd", "etcd-rights", "encryption"],
    ask: async (etcd, signal) => {
      const state = (await books(etcd).state({ signal }))?.state;
      if (state?.applied !== undefined) return ok("the first copy is done");
      if (state?.pass !== undefined) return ok("the first copy is under way");
      const made = await copy();
      if (made === undefined) return ok("without rules nothing is copied");
      return ofMembers(etcd, signal, (members) => firstCopy(roomOf(members), made, signal));
    },
  });
  return [
    etcdCheck(destination, {
      id: "etcd-space",
      after: ["etcd"],
      ask: (etcd, signal) => ofMembers(etcd, signal, (members) => space(roomOf(members))),
    }),
    {
      ...copying,
      needs: [
        ...copying.needs,
        rules,
        ...["etcd", "etcd-rights", "encryption"].map((id) => etcdKey(source, id)),
      ],
    },
  ];
}

export function roomOf(members: readonly MemberStatus[]): Room {
  const largest = (of: (member: MemberStatus) => bigint): number =>
    Number(members.map(of).reduce((most, one) => (one > most ? one : most), 0n));
  const quotas = members.map(({ dbSizeQuotaBytes }) => Number(dbSizeQuotaBytes));
  const told = Math.min(...quotas.filter((quota) => quota > 0));
  return {
    allocated: largest(({ dbSizeBytes }) => dbSizeBytes),
    inUse: largest(({ dbSizeInUseBytes }) => dbSizeInUseBytes),
    quota: told === Infinity ? DEFAULT_QUOTA_BYTES : told,
    isQuotaTold: told !== Infinity,
  };
}

/** Whether so much more leaves the database below what is safe. */
export function fits({ inUse, quota }: Room, size: CopySize): boolean {
  return inUse + spaceFor(size) <= quota * FULL;
}

function space(room: Room): Outcome {
  const message = roomText(room);
  if (room.allocated <= room.quota * FULL) return ok(message);
  const isReclaimable = room.inUse <= room.quota * FULL;
  return warn(
    `${message}: beyond 80 % of it`,
    isReclaimable
      ? { text: "the file holds free pages: defragment it", command: "etcdctl defrag --cluster" }
      : {
          text: "compact it, or raise --quota-backend-bytes of that etcd before it refuses writes",
        },
  );
}

/** What is certainly enough is told at once; else every object is looked at, so that nothing is refused by a guess. */
async function firstCopy(room: Room, copy: FirstCopy, signal: AbortSignal): Promise<Outcome> {
  const most = await copy.atMost(signal);
  if (fits(room, most)) return ok(`at most ${copyText(most)}; ${roomText(room)}`);
  const exact = await copy.exactly(signal);
  const message = `${copyText(exact)}; ${roomText(room)}`;
  if (fits(room, exact)) return ok(message);
  const remedy = {
    text: "raise --quota-backend-bytes of the destination's etcd (8 GiB is what etcd advises at most), compact and defragment it, or narrow the rules",
  };
  const told = `${message}: more than 80 % of it would be full`;
  return room.isQuotaTold ? fail(told, remedy, "no-space") : warn(told, remedy);
}

/** "1000 objects of 1.5 MiB, which take some 3.3 MiB" */
export function copyText(size: CopySize): string {
  const { objects, bytes } = size;
  const what = objects === 1 ? "1 object" : `${objects} objects`;
  return `${what} of ${bytesText(bytes)}, which take some ${bytesText(spaceFor(size))}`;
}

/** "0.4 GiB in use, 0.5 GiB allocated, quota 2.0 GiB" */
export function roomText({ allocated, inUse, quota, isQuotaTold }: Room): string {
  const whose = isQuotaTold ? "quota" : "quota not told, etcd's default is";
  return `${bytesText(inUse)} in use, ${bytesText(allocated)} allocated, ${whose} ${bytesText(quota)}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[power] ?? "B"}`;
}
