import { describe, expect, it } from "vitest";
import { PLAIN } from "../../../../sidecar/encryption/encryption.js";
import type { KeyValue } from "../../../../sidecar/etcd/etcd.js";
import { Fence } from "../../../../sidecar/fence/fence.js";
import { Keyspace } from "../../../../sidecar/link/keyspace.js";
import { openLink } from "../../../../sidecar/link/open-link.js";
import { DEFAULT_POLICY } from "../../../../sidecar/link/policy.js";
import { Tally } from "../../../../sidecar/status/tally.js";
import type { Outcome } from "../../../../sidecar/writer/observation.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { LABELLED, MirrorBed, PREFIX } from "../../../fixtures/mirror-bed.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";

const FOREVER = new AbortController().signal;
const AT = "configmaps/shop/a";
const YES = { labels: { mirror: "yes" } };

/** A writer alone: the test says what is observed, and in which order. */
async function writerBed() {
  const bed = new MirrorBed();
  const { clock, source, destination } = bed;
  await bed.putInto(destination, "namespaces/shop");
  const rules = rulesetOf(LABELLED);
  const options = {
    ...{ link: "east", identity: "pod", source, destination, rules, clock, log: SILENT_LOG },
    ...{ sourcePrefix: PREFIX, destinationPrefix: PREFIX, api: undefined },
    ...{ sourceEncryption: PLAIN, destinationEncryption: PLAIN, random: new SeededRandom(1) },
    policy: { ...DEFAULT_POLICY, maxWritesPerSecond: undefined },
  };
  const keys = new Keyspace("east");
  const fence = await new Fence({
    etcd: destination,
    clock,
    log: SILENT_LOG,
    keys,
    identity: "pod",
  }).acquire(FOREVER);
  const link = await openLink(options, { fence, rules, tally: new Tally(), isOtherSource: false });
  if (link.kind !== "open") throw new Error("the link is sealed");
  const offer = async (revision: bigint, kv: KeyValue | undefined): Promise<Outcome> => {
    const observation = { path: AT, revision, kv, cause: "event" } as const;
    return (await link.writer.offer(observation, "live")).done;
  };
  /** The value that the source has now. */
  const current = (): KeyValue => {
    const kv = source.store.get(PREFIX + AT);
    if (kv === undefined) throw new Error("it is not there");
    return kv;
  };
  return { bed, link, offer, current };
}

describe("one order for all observations of a key", () => {
  it("applies a value only when it is newer than what the record was made from", async () => {
    const { bed, offer, current } = await writerBed();
    await bed.put(AT, { ...YES, data: "old" });
    const old = current();
    await bed.put(AT, { ...YES, data: "new" });
    const fresh = current();

    const outcomes = [
      await offer(fresh.modRevision, fresh),
      await offer(old.modRevision, old),
      await offer(fresh.modRevision + 5n, fresh),
    ];

    expect(outcomes).toEqual(["put", "old", "unchanged"]);
    expect(bed.objects()).toMatchObject({ [AT]: "new" });
  });

  it("applies a removal only when nothing newer was applied", async () => {
    const { bed, offer, current } = await writerBed();
    await bed.put(AT, { ...YES, data: "1" });
    const { modRevision } = current();
    await offer(modRevision, current());

    const outcomes = [
      await offer(modRevision - 1n, undefined),
      await offer(modRevision + 1n, undefined),
    ];

    expect(outcomes).toEqual(["old", "removed"]);
    expect(bed.objects()).not.toHaveProperty([AT]);
  });

  it("does not bring back what was removed on the word of something newer, until the low-water mark has passed it", async () => {
    const { bed, link, offer, current } = await writerBed();
    await bed.put(AT, { ...YES, data: "1" });
    const before = current();
    await offer(before.modRevision, before);
    await offer(before.modRevision + 10n, undefined);

    const late = await offer(before.modRevision + 5n, before);
    link.books.tombstones.passed(before.modRevision + 10n);

    expect(late).toBe("old");
    expect(link.books.tombstones.size).toBe(0);
    expect(bed.objects()).not.toHaveProperty([AT]);
  });

  it("knows after a lost answer what it has written: the next value is an update, not a stranger", async () => {
    const { bed, link, offer, current } = await writerBed();
    await bed.put(AT, { ...YES, data: "1" });
    bed.destination.faults.loseAnswers(1);
    const first = offer(current().modRevision, current());
    await bed.clock.advance(1_000);
    await first;

    expect(link.books.index.get(AT)).toMatchObject({ sourceRevision: current().modRevision });
  });
});
