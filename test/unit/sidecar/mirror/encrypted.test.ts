import { describe, expect, it } from "vitest";
import type { Etcd } from "../../../../sidecar/etcd/etcd.js";
import { MemoryKms } from "../../../fakes/memory-kms.js";
import type { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { encryption, encryptionYaml, keys } from "../../../fixtures/encryption.js";
import { MirrorBed, PREFIX, type BedOptions } from "../../../fixtures/mirror-bed.js";

const RULES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Secret }, { group: "", version: v1, kind: ConfigMap }] }
`;
const SECRETS = { group: "", resource: "secrets" };
const PATHS = ["a", "b", "c"].map((name) => `secrets/shop/${name}`);

const keyed = (name: string) => encryption(encryptionYaml(["secrets", keys("aescbc", name)]));

/** Three Secrets and a ConfigMap in the source; the destination encrypts Secrets. */
async function bedWith(options: BedOptions = {}): Promise<MirrorBed> {
  const bed = new MirrorBed({ rules: RULES, destinationEncryption: keyed("key-a"), ...options });
  await bed.putInto(bed.destination, "namespaces/shop");
  await bed.put("configmaps/shop/plain", { data: "1" });
  for (const path of PATHS) await bed.put(path, { data: path });
  return bed;
}

/** Secrets that the destination holds. */
function secrets(bed: MirrorBed): readonly string[] {
  const { kvs } = bed.destination.store.range({
    key: `${PREFIX}secrets/`,
    rangeEnd: `${PREFIX}secrets0`,
  });
  return kvs.map(({ key }) => key.slice(PREFIX.length));
}

describe("a destination that encrypts", () => {
  it("gets the first object of a resource alone; it is read back before the others go", async () => {
    const bed = await bedWith();
    bed.destination.takeTxns();

    await bed.follow();

    const steps = bed.destination.takeTxns().flatMap(({ compare, then }) => {
      const op = then.find(({ key }) => key.startsWith(`${PREFIX}secrets/`));
      if (op?.kind === "put") return [`put ${op.key.slice(PREFIX.length)}`];
      return op?.kind === "get" && compare.length === 0 ? ["read back"] : [];
    });
    expect(steps[0]).toMatch(/^put /);
    expect(steps[1]).toBe("read back");
    expect(steps.slice(2).toSorted()).toEqual([`put ${PATHS[1]}`, `put ${PATHS[2]}`]);
  });

  it("gets nothing of a resource of which a value does not open with our keys; all else goes on, and it is told why", async () => {
    const bed = await bedWith();
    const key = `${PREFIX}secrets/shop/native`;
    const plain = bed.value(bed.destination, "secrets/shop/native", { data: "theirs" });
    const value = await keyed("key-b").transformer(SECRETS).encrypt(plain, key);
    await bed.write(bed.destination, { kind: "put", key, value });

    const { mirror } = await bed.follow();
    const before = secrets(bed);
    const { refused } = mirror.status;
    await bed.write(bed.destination, { kind: "delete", key });
    await bed.settle(60_000);

    expect(before).toEqual(["secrets/shop/native"]);
    expect(refused.map(({ path, code }) => `${path} ${code}`).toSorted()).toEqual(
      PATHS.map((path) => `${path} dest-undecryptable`),
    );
    expect(refused[0]?.detail).toContain("aescbc");
    expect(bed.destination.store.get(`${PREFIX}configmaps/shop/plain`)).toBeDefined();
    expect(secrets(bed)).toEqual(PATHS);
    expect(bed.debts()).toEqual({});
  });

  it("gets no second object when the first does not open as it was stored", async () => {
    const bed = await bedWith();
    await bed.putInto(bed.destination, "secrets/shop/0-native");

    const { mirror } = await bed.follow({ destination: damaging(bed.destination) });
    await bed.settle(60_000);

    expect(secrets(bed)).toHaveLength(2);
    expect(mirror.status.debts["dest-undecryptable"]).toBe(2);
  });
});

describe("a source that encrypts with a KMS plugin", () => {
  const KMS = "{kms: {apiVersion: v2, name: plugin, endpoint: unix:///plugin.sock}}";

  /** Everything that is in the source comes while the plugin is away. */
  async function withoutPlugin(encrypted: string, path: string) {
    const plugin = new MemoryKms();
    const sourceEncryption = encryption(encryptionYaml([encrypted, KMS]), () => plugin);
    const bed = new MirrorBed({ rules: RULES, sourceEncryption, policy: { allowPlaintext: true } });
    const process = await bed.follow();
    const [resource = ""] = path.split("/");
    const plain = bed.value(bed.source, path, { data: "1" });
    const seal = sourceEncryption.transformer({ group: "", resource });
    const value = await seal.encrypt(plain, PREFIX + path);
    plugin.down = true;
    await bed.write(bed.source, { kind: "put", key: PREFIX + path, value });
    await bed.settle(60_000);
    const lagMs = process.mirror.status.lagMs;
    plugin.down = false;
    await bed.settle(5_000);
    return { bed, process, plugin, lagMs };
  }

  it("is waited for by the tail while the plugin is away", async () => {
    const { bed, process, lagMs } = await withoutPlugin("secrets", "secrets/shop/a");
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.settle(5_000);

    expect(process.ended).toBeUndefined();
    expect(lagMs).toBeGreaterThan(50_000);
    expect(secrets(bed)).toEqual(["secrets/shop/a"]);
  });

  it("is waited for where a Namespace is encrypted, by a start as well", async () => {
    const { bed, process, plugin } = await withoutPlugin("namespaces", "namespaces/shop");
    await process.stop();
    plugin.down = true;

    const next = bed.start();
    await bed.settle(60_000);
    plugin.down = false;
    await bed.clock.runUntil(() => next.mirror.status.activity === "following");

    expect([process.ended, next.ended]).toEqual([undefined, undefined]);
  });
});

/** Stores other bytes of Secrets than it was given. */
function damaging(etcd: FakeEtcd): Etcd {
  const txn: Etcd["txn"] = (request, call) => {
    const then = request.then.map((op) => {
      if (op.kind !== "put" || !op.key.startsWith(`${PREFIX}secrets/`)) return op;
      return { ...op, value: op.value.subarray(0, -1) };
    });
    return etcd.txn({ ...request, then }, call);
  };
  return new Proxy(etcd, {
    get(target, name) {
      if (name === "txn") return txn;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
