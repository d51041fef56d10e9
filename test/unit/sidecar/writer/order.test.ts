import { describe, expect, it } from "vitest";
import { PLAIN } from "../../../../sidecar/encryption/encryption.js";
import type { Etcd, KeyValue, Txn } from "../../../../sidecar/etcd/etcd.js";
import { Fence } from "../../../../sidecar/fence/fence.js";
import { Keyspace } from "../../../../sidecar/link/keyspace.js";
import { openLink } from "../../../../sidecar/link/open-link.js";
import { DEFAULT_POLICY } from "../../../../sidecar/link/policy.js";
import { Tally } from "../../../../sidecar/status/tally.js";
import type { Outcome } from "../../../../sidecar/writer/observation.js";
import type { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { LABELLED, MirrorBed, PREFIX } from "../../../fixtures/mirror-bed.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";

const FOREVER = new AbortController().signal;
const AT = "configmaps/shop/a";
const YES = { labels: { mirror: "yes" } };

/** A writer alone: the test says what is observed, and in which order. */
async function writerBed(seenBy: (etcd: FakeEtcd) => Etcd = (etcd) => etcd) {
  const bed = new MirrorBed();
  const { clock, source } = bed;
  const destination = seenBy(bed.destination);
  await bed.putInto(bed.destination, "namespaces/shop");
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
  const offer = async (revision: bigint, kv: KeyValue | undefined, path = AT): Promise<Outcome> => {
    const observation = { path, revision, kv, cause: "event" } as const;
    return (await link.writer.offer(observation, "live")).done;
  };
  /** The value that the source has now. */
  const current = (path = AT): KeyValue => {
    const kv = source.store.get(PREFIX + path);
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

  it("owes no removal on the word of something older, where it could not be done at once either", async () => {
    const { bed, offer, current } = await writerBed();
    const path = "namespaces/cart";
    await bed.put(path, YES);
    const { modRevision } = current(path);
    await offer(modRevision, current(path), path);

    const outcomes = [
      await offer(modRevision - 1n, undefined, path),
      await offer(modRevision + 1n, undefined, path),
    ];

    expect(outcomes).toEqual(["old", "owed"]);
  });

  it("does not bring back what was removed on the word of something newer, until the low-water mark has passed it", async () => {
    const { bed, link, offer, current } = await writerBed();
    await bed.put(AT, { ...YES, data: "1" });
    const value = current();
    await offer(value.modRevision, value);
    await offer(value.modRevision + 10n, undefined);

    const late = await offer(value.modRevision + 5n, value);
    link.books.tombstones.passed(value.modRevision + 10n);

    expect(late).toBe("old");
    expect(link.books.tombstones.size).toBe(0);
    expect(bed.objects()).not.toHaveProperty([AT]);
  });
});

describe("a transaction of which nobody knows what became", () => {
  it("was carried out: the next value is an update, not a stranger", async () => {
    const { bed, link, offer, current } = await writerBed(before("put", loseAnswer));
    await bed.put(AT, { ...YES, data: "1" });
    const first = offer(current().modRevision, current());
    await bed.clock.advance(1_000);
    await first;

    expect(link.books.index.get(AT)).toMatchObject({ sourceRevision: current().modRevision });
  });

  it("was not carried out: the object is written again", async () => {
    const { bed, offer, current } = await writerBed(before("put", failNext));
    await bed.put(AT, { ...YES, data: "1" });

    const first = offer(current().modRevision, current());
    await bed.clock.advance(1_000);

    expect(await first).toBe("put");
    expect(bed.objects()).toMatchObject({ [AT]: "1" });
  });

  it("was carried out: what the object holds on to is known, and lets go before its owner goes", async () => {
    const child = "configmaps/shop/child";
    const { bed, link, offer, current } = await writerBed(before("put", loseAnswer, child));
    await bed.put(AT, { ...YES, metadata: { uid: "owner" } });
    await offer(current().modRevision, current());
    const reference = { apiVersion: "v1", kind: "ConfigMap", name: "a", uid: "owner" };
    await bed.put(child, { ...YES, metadata: { ownerReferences: [reference] } });
    const outcome = offer(current(child).modRevision, current(child), child);
    await bed.clock.advance(1_000);
    await outcome;

    await bed.put(AT, {});
    bed.takeWrites();
    await offer(current().modRevision, current());

    expect(link.books.owners.children(AT)).toEqual([]);
    expect(bed.takeWrites()).toEqual([`put ${child}`, `delete ${AT}`]);
  });

  it("was a Namespace that was carried out: what is to be in it need not wait for another word of it", async () => {
    const namespace = "namespaces/cart";
    const inside = "configmaps/cart/a";
    const { bed, offer, current } = await writerBed(before("put", loseAnswer, namespace));
    await bed.put(inside, YES);
    const early = await offer(current(inside).modRevision, current(inside), inside);
    await bed.put(namespace, YES);
    const made = offer(current(namespace).modRevision, current(namespace), namespace);
    await bed.clock.advance(1_000);
    await made;

    const late = await offer(current(inside).modRevision + 5n, current(inside), inside);

    expect([early, late]).toEqual(["owed", "put"]);
  });

  it("was a removal that was carried out: it counts as removed, and nothing older brings it back", async () => {
    const { bed, link, offer, current } = await writerBed(before("delete", loseAnswer));
    await bed.put(AT, { ...YES, data: "1" });
    const value = current();
    await offer(value.modRevision, value);

    const removal = offer(value.modRevision + 2n, undefined);
    await bed.clock.advance(1_000);
    await removal;
    const late = await offer(value.modRevision + 1n, value);

    expect(late).toBe("old");
    expect(bed.owned()).toEqual([]);
    expect(link.books.gone.has("uid-2")).toBe(true);
  });

  it("was a removal that was not carried out: the object is removed again", async () => {
    const { bed, offer, current } = await writerBed(before("delete", failNext));
    await bed.put(AT, { ...YES, data: "1" });
    await offer(current().modRevision, current());

    const removal = offer(current().modRevision + 1n, undefined);
    await bed.clock.advance(1_000);

    expect(await removal).toBe("removed");
    expect(bed.objects()).not.toHaveProperty([AT]);
  });
});

describe("a removal", () => {
  it("leaves what is not ours any more when the removal comes to it", async () => {
    const { bed, offer, current } = await writerBed(
      before("delete", (etcd) =>
        bed.write(etcd, { kind: "delete", key: `/svc-ferry/east/own/${AT}` }),
      ),
    );
    await bed.put(AT, { ...YES, data: "1" });
    await offer(current().modRevision, current());

    const outcome = await offer(current().modRevision + 1n, undefined);

    expect(outcome).toBe("ignored");
    expect(bed.objects()).toMatchObject({ [AT]: "1" });
  });
});

function failNext(etcd: FakeEtcd): void {
  etcd.faults.failNext(1, "unknown-outcome", "txn");
}

function loseAnswer(etcd: FakeEtcd): void {
  etcd.faults.loseAnswers(1);
}

/** Something happens in the destination just before the first transaction comes there that puts, or deletes, an object of Kubernetes. */
function before(
  what: "put" | "delete",
  happens: (etcd: FakeEtcd) => unknown,
  path = "",
): (etcd: FakeEtcd) => Etcd {
  return (etcd) => {
    let isToCome = true;
    const txn: Etcd["txn"] = async (request: Txn, call) => {
      const isIt = request.then.some(
        ({ kind, key }) => kind === what && key.startsWith(PREFIX + path),
      );
      if (isIt && isToCome) {
        isToCome = false;
        await happens(etcd);
      }
      return etcd.txn(request, call);
    };
    return new Proxy(etcd, {
      get(target, name) {
        if (name === "txn") return txn;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
}

describe("what an object without its unwanted owner waits for", () => {
  it("is forgotten when the object goes", async () => {
    const { bed, link, offer, current } = await writerBed();
    const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "owner" };
    await bed.put(AT, { ...YES, metadata: { ownerReferences: [reference] } });
    await offer(current().modRevision, current());
    const before = link.books.longing.children("configmaps/shop/owner");

    await offer(current().modRevision + 1n, undefined);

    expect(before).toEqual([AT]);
    expect(link.books.longing.children("configmaps/shop/owner")).toEqual([]);
  });
});

describe("a debt that ends without being paid", () => {
  it("is not waited for any more", async () => {
    const { bed, link, offer, current } = await writerBed();
    const inside = "configmaps/cart/a";
    await bed.put(inside, YES);
    await offer(current(inside).modRevision, current(inside), inside);
    const stop = new AbortController();
    const paying = link.payer.run(stop.signal).catch(() => undefined);
    await bed.clock.advance(5_000);
    const before = link.payer.waiting;

    const gone = await bed.delete(inside);
    await offer(gone, undefined, inside);
    await bed.clock.advance(5_000);

    expect([before, link.payer.waiting]).toEqual([1, 0]);
    stop.abort();
    await paying;
  });
});

describe("a write that fails for good", () => {
  it("leaves no place taken by those who waited for one: the end of a term waits until all are free", async () => {
    const { bed, link } = await writerBed();
    const { writer } = link;
    const held = bed.destination.faults.hold("txn");
    const offers = [];
    for (let at = 0; at < 66; at += 1) {
      const path = `configmaps/shop/c${at}`;
      const revision = await bed.put(path, YES);
      const kv = bed.source.store.get(PREFIX + path);
      const offered = writer.offer({ path, revision, kv, cause: "event" }, "live");
      offers.push(Promise.resolve(offered));
    }
    const last = Promise.allSettled(offers.slice(-2));

    bed.destination.faults.failNext(1, "invalid", "txn");
    held.release();
    let isIdle = false;
    const idle = writer.idle().then(() => (isIdle = true));
    await bed.clock.advance(1_000);

    expect(isIdle).toBe(true);
    expect((await last).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await idle;
  });
});
