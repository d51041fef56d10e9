import { describe, expect, it } from "vitest";
import { decodeRecord } from "../../../../sidecar/ledger/record.js";
import { encryption, encryptionYaml, keys } from "../../../fixtures/encryption.js";
import { MirrorBed, PREFIX, type MirrorProcess } from "../../../fixtures/mirror-bed.js";
import { entry, envelope, field, number, object } from "../../../fixtures/wire/values.js";

const RULES = `
filters:
  secondary:
    - resources: [{ group: "", version: v1, kind: ConfigMap }, { group: "", version: v1, kind: Secret }]
`;
const AT = "configmaps/shop/a";
const KEY = PREFIX + AT;
const RECORD = `/svc-ferry/east/own/${AT}`;

interface Shape {
  readonly data?: string;
  readonly uid?: string;
  readonly managed?: string;
  readonly more?: readonly Buffer[];
}

/** As API servers of today store it, in protobuf. */
function value({ data = "1", uid = "uid-a", managed = "", more = [] }: Shape = {}): Buffer {
  const metadata = [field(1, "a"), field(3, "shop"), field(5, uid), entry(11, "app", "web")];
  const raw = [field(1, [...metadata, ...more, field(17, managed)]), entry(2, "data", data)];
  return envelope("v1", "ConfigMap", raw);
}

/** The object is mirrored, by a process that has written it itself. */
async function mirrored(
  more: ConstructorParameters<typeof MirrorBed>[0] = {},
  shape: Shape = {},
): Promise<{ readonly bed: MirrorBed; readonly process: MirrorProcess }> {
  const bed = new MirrorBed({ rules: RULES, ...more });
  await bed.putInto(bed.destination, "namespaces/shop");
  await put(bed, shape);
  const process = await bed.follow();
  await bed.settle();
  bed.destination.takeTxns();
  return { bed, process };
}

async function put(bed: MirrorBed, shape: Shape, etcd = bed.source): Promise<void> {
  await bed.write(etcd, { kind: "put", key: KEY, value: value(shape) });
}

/** What was asked of the destination about the object, in order: "look", "write", "conflict". */
function steps(bed: MirrorBed): readonly string[] {
  return bed.destination.takeTxns().flatMap(({ compare, then, succeeded }) => {
    const op = then.find(({ key }) => key === KEY || key === RECORD);
    if (op === undefined || (compare.length === 0 && op.kind !== "get")) return [];
    if (op.kind === "get") return ["look"];
    return [succeeded ? "write" : "conflict"];
  });
}

function text(bed: MirrorBed): string | undefined {
  return bed.destination.store.get(KEY)?.value.toString("latin1");
}

describe("an object that this process has written", () => {
  it("is written over in one round trip, which proves that nobody has touched it", async () => {
    const { bed } = await mirrored();
    const before = bed.destination.store.get(KEY)?.modRevision;
    const record = bed.destination.store.get(RECORD)?.value;

    await put(bed, { data: "2" });
    await bed.settle();

    const txns = bed.destination.takeTxns().filter(({ then }) => then.some((op) => op.key === KEY));
    expect(txns).toHaveLength(1);
    expect(txns[0]?.compare.map(({ key, target, value: is }) => [key, target, is])).toEqual([
      ["/svc-ferry/east/fence", "create", expect.anything()],
      [KEY, "mod", before],
      [RECORD, "value", record],
      [`${PREFIX}namespaces/shop`, "mod", expect.anything()],
    ]);
    expect(txns[0]?.otherwise.map(({ key }) => key)).toEqual(
      txns[0]?.compare.map(({ key }) => key),
    );
    expect(text(bed)).toBe(value({ data: "2" }).toString("latin1"));
  });

  it("is so again and again, and its record follows", async () => {
    const { bed } = await mirrored();

    for (const data of ["2", "3", "4"]) {
      await put(bed, { data });
      await bed.settle();
    }

    expect(steps(bed)).toEqual(["write", "write", "write"]);
    const record = decodeRecord(bed.destination.store.get(RECORD)?.value ?? Buffer.alloc(0));
    expect(record.sourceRevision).toBe(bed.source.store.get(KEY)?.modRevision);
  });

  it("is looked at where the source may want nothing else than before: then only the ledger is written", async () => {
    const { bed } = await mirrored();
    const before = text(bed);

    await put(bed, { managed: "somebody else's fields" });
    await bed.settle();

    expect(steps(bed)).toEqual(["look", "write"]);
    expect(text(bed)).toBe(before);
  });

  it("is read, and repaired by the rules, when a stranger has changed it meanwhile", async () => {
    const { bed, process } = await mirrored({ hopMs: 5 });
    await put(bed, { data: "2" });
    await bed.clock.advance(7);

    await put(bed, { data: "stranger" }, bed.destination);
    await bed.settle();

    expect(steps(bed).slice(0, 2)).toEqual(["conflict", "write"]);
    expect(text(bed)).toBe(value({ data: "2" }).toString("latin1"));
    expect(process.mirror.status.drift).toMatchObject({ repaired: 1 });
  });

  it("is left alone when a stranger has changed it meanwhile and drift is only reported", async () => {
    const { bed } = await mirrored({ hopMs: 5, policy: { onDrift: "report" } });
    await put(bed, { data: "2" });
    await bed.clock.advance(7);

    await put(bed, { data: "stranger" }, bed.destination);
    await bed.settle();

    expect(text(bed)).toBe(value({ data: "stranger" }).toString("latin1"));
    expect(bed.debts()).toEqual({ [AT]: "drifted" });
  });

  it("keeps what a controller of the destination has added to it meanwhile", async () => {
    const { bed } = await mirrored({ hopMs: 5 });
    await put(bed, { data: "2" });
    await bed.clock.advance(7);

    const more = [field(14, "kubernetes.io/pvc-protection")];
    await put(bed, { more }, bed.destination);
    await bed.settle();

    expect(text(bed)).toContain("kubernetes.io/pvc-protection");
    expect(text(bed)).toContain(value({ data: "2" }).subarray(-12).toString("latin1"));
  });

  it("is made anew, with another uid, when a stranger has deleted it meanwhile", async () => {
    const { bed } = await mirrored({ hopMs: 5 });
    await put(bed, { data: "2" });
    await bed.clock.advance(7);

    await bed.deleteFrom(bed.destination, AT);
    await bed.settle();

    const { uid } = object(bed.destination.store.get(KEY)?.value ?? Buffer.alloc(0)).meta;
    expect(uid).not.toBe("uid-a");
  });

  it("is not written over when its record is another's, though the object is as it was", async () => {
    const { bed } = await mirrored({ hopMs: 5 });
    const record = bed.destination.store.get(RECORD)?.value.toString() ?? "";
    await put(bed, { data: "2" });
    await bed.clock.advance(7);

    const newer = record.replace(/^1 \d+ /, "1 999999 ");
    await bed.write(bed.destination, { kind: "put", key: RECORD, value: Buffer.from(newer) });
    await bed.settle();

    expect(steps(bed)[0]).toBe("conflict");
  });

  it("keeps its uid when the source's object is another one of the same name", async () => {
    const { bed } = await mirrored();

    await put(bed, { data: "2", uid: "uid-b" });
    await bed.settle();

    expect(steps(bed)).toEqual(["conflict", "write"]);
    expect(object(bed.destination.store.get(KEY)?.value ?? Buffer.alloc(0)).meta.uid).toBe("uid-a");
  });

  it("is looked at before it is sent again when no answer came, whether it was done or not", async () => {
    const { bed } = await mirrored();

    bed.destination.faults.loseAnswers(1);
    await put(bed, { data: "2" });
    await bed.settle();
    const done = steps(bed);
    bed.destination.faults.failNext(1, "unknown-outcome", "txn");
    await put(bed, { data: "3" });
    await bed.settle();

    expect(done).toEqual(["write", "look"]);
    expect(steps(bed)).toEqual(["look", "write"]);
    expect(text(bed)).toBe(value({ data: "3" }).toString("latin1"));
  });

  it("is not written over by a process that has lost the fence", async () => {
    const { bed, process: stale } = await mirrored({ hopMs: 5, ttlSeconds: 5 });
    await put(bed, { data: "2" });
    await bed.clock.advance(7);
    stale.clock.freeze();
    const fresh = bed.start({ identity: "fresh" });
    await bed.clock.runUntil(() => fresh.mirror.status.activity === "following", 60_000);
    await put(bed, { data: "3" });
    await bed.settle();
    bed.takeWrites();

    stale.clock.thaw();
    await bed.settle(3_000);

    expect(bed.takeWrites()).toEqual([]);
    expect(text(bed)).toBe(value({ data: "3" }).toString("latin1"));
  });
});

describe("an object of which something is the destination's own, or may be", () => {
  it.each<readonly [string, Shape]>([
    ["finalizers", { more: [field(14, "kubernetes.io/pvc-protection")] }],
    ["annotations", { more: [entry(12, "control-plane.alpha.kubernetes.io/leader", "{}")] }],
    ["a generation", { more: [number(7, 3)] }],
    [
      "owners",
      { more: [field(13, [field(1, "Pod"), field(3, "p"), field(4, "u"), field(5, "v1")])] },
    ],
  ])("is looked at first: %s", async (_, shape) => {
    const { bed } = await mirrored({}, shape);

    await put(bed, { ...shape, data: "2" });
    await bed.settle();

    expect(steps(bed)).toEqual(["look", "write"]);
  });

  it("is looked at first after a restart, because only this process knows what it has written", async () => {
    const { bed, process } = await mirrored();
    await process.stop();
    await bed.follow();
    bed.destination.takeTxns();

    await put(bed, { data: "2" });
    await bed.settle();
    await put(bed, { data: "3" });
    await bed.settle();

    expect(steps(bed)).toEqual(["look", "write", "write"]);
  });

  it("is sealed with the destination's keys like any other when it is not looked at", async () => {
    const path = "secrets/shop/s";
    const sealed = encryption(encryptionYaml(["secrets", keys("aescbc", "key-a")]));
    const bed = new MirrorBed({ rules: RULES, destinationEncryption: sealed });
    await bed.putInto(bed.destination, "namespaces/shop");
    const secret = (data: string): Buffer =>
      envelope("v1", "Secret", [
        field(1, [field(1, "s"), field(3, "shop"), field(5, "uid-s")]),
        entry(2, "data", data),
        field(3, "Opaque"),
      ]);
    await bed.write(bed.source, { kind: "put", key: PREFIX + path, value: secret("1") });
    await bed.follow();
    bed.destination.takeTxns();

    await bed.write(bed.source, { kind: "put", key: PREFIX + path, value: secret("2") });
    await bed.settle();

    const writes = bed.destination.takeTxns().filter(({ then }) => then.length > 1);
    expect(writes.map(({ compare }) => compare[2]?.target)).toEqual(["value"]);
    const stored = bed.destination.store.get(PREFIX + path)?.value ?? Buffer.alloc(0);
    expect(stored.toString("latin1")).toMatch(/^k8s:enc:aescbc:v1:key-a:/);
    const opened = await sealed
      .transformer({ group: "", resource: "secrets" })
      .decrypt(stored, PREFIX + path);
    expect(opened).toMatchObject({ kind: "plain", value: secret("2") });
  });
});
