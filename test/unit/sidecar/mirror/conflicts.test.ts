import { describe, expect, it } from "vitest";
import { encodeState } from "../../../../sidecar/link/state.js";
import { linkState } from "../../../fixtures/link-scene.js";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const AT = "configmaps/shop/a";
const DEPLOYMENTS = `
filters:
  secondary:
    - { group: apps, resources: [{ group: apps, version: v1, kind: Deployment }], allow: [workloads] }
`;

async function bedWith(...args: ConstructorParameters<typeof MirrorBed>): Promise<MirrorBed> {
  const bed = new MirrorBed(...args);
  await bed.putInto(bed.destination, "namespaces/shop");
  return bed;
}

/** Mirrored with one replica by a mirror that has ended; the next one only reports drift. */
async function unseenDeployment() {
  const bed = await bedWith({ rules: DEPLOYMENTS, policy: { onDrift: "report" } });
  const path = "deployments/shop/web";
  const metadata = { generation: 4 };
  await bed.put(path, { spec: { replicas: 1 }, metadata });
  const first = await bed.follow();
  await first.stop();
  const made = bed.object(path);
  /** Somebody writes the destination's, the source wants two replicas, and only then a mirror looks. */
  const touchedAndChanged = async (theirs: object, meanwhile = (): void => {}) => {
    await bed.putInto(bed.destination, path, { ...made, ...theirs });
    await bed.put(path, { spec: { replicas: 2 }, metadata: { generation: 5 } });
    meanwhile();
    const next = await bed.follow();
    await bed.settle();
    return next;
  };
  return { bed, path, touchedAndChanged };
}

describe("foreign: a key that is there and not ours", () => {
  it("is left alone and owed", async () => {
    const bed = await bedWith();
    await bed.putInto(bed.destination, AT, { data: "native" });
    await bed.put(AT, { ...YES, data: "1" });

    const { mirror } = await bed.follow();

    expect(bed.objects()).toMatchObject({ [AT]: "native" });
    expect(mirror.status).toMatchObject({ debts: { occupied: 1 }, conflicts: { skipped: 1 } });
  });

  it("is never deleted, whatever the source does", async () => {
    const bed = await bedWith();
    await bed.putInto(bed.destination, AT, { data: "native" });
    await bed.put(AT, { ...YES, data: "1" });
    await bed.follow();

    await bed.delete(AT);
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [AT]: "native" });
    expect(bed.debts()).toEqual({});
  });

  it("is adopted where the policy says so, and keeps its uid", async () => {
    const bed = await bedWith({ policy: { onConflict: "adopt" } });
    await bed.putInto(bed.destination, AT, { data: "native", metadata: { uid: "its-own" } });
    await bed.put(AT, { ...YES, data: "1" });

    await bed.follow();

    expect(bed.object(AT)).toMatchObject({ data: "1", metadata: { uid: "its-own" } });
    expect(bed.owned()).toEqual([AT]);
  });

  it("is adopted without a data write when it is what the source wants", async () => {
    const bed = await bedWith({ policy: { onConflict: "adopt" } });
    await bed.put(AT, { ...YES, data: "1" });
    await bed.putInto(bed.destination, AT, { ...YES, data: "1" });
    bed.takeWrites();

    await bed.follow();

    expect(bed.takeWrites()).toEqual([]);
    expect(bed.owned()).toEqual([AT]);
  });

  it("stops a first copy under fail, and never a running tail", async () => {
    const stopped = await bedWith({ policy: { onConflict: "fail" } });
    await stopped.putInto(stopped.destination, AT);
    await stopped.put(AT, YES);
    const running = await bedWith({ policy: { onConflict: "fail" } });
    const { mirror } = await running.follow();
    await running.putInto(running.destination, AT);

    const first = stopped.start();
    await stopped.settle();
    await running.put(AT, YES);
    await running.settle();

    expect(first.ended).toMatchObject({ name: "OccupiedName", path: AT });
    expect(mirror.status).toMatchObject({ activity: "following", debts: { occupied: 1 } });
  });

  it("is adopted from a link when the ledger in the source knows its uid, and only then", async () => {
    const bed = await bedWith({ policy: { adoptFromLink: "back" } });
    const record = (uid: string) => Buffer.from(`1 5 1.ab 0 - ${uid} =`);
    const sealed = linkState({ phase: "sealed", sealed: { by: "ann", atMs: 0 } });
    await bed.write(
      bed.source,
      { kind: "put", key: `/svc-ferry/back/own/${AT}`, value: record("its-own") },
      { kind: "put", key: "/svc-ferry/back/own/configmaps/shop/b", value: record("another") },
      { kind: "put", key: "/svc-ferry/back/state", value: encodeState(sealed) },
    );
    await bed.putInto(bed.destination, AT, { metadata: { uid: "its-own" } });
    await bed.putInto(bed.destination, "configmaps/shop/b", { metadata: { uid: "b" } });
    await bed.put(AT, { ...YES, data: "1" });
    await bed.put("configmaps/shop/b", { ...YES, data: "1" });

    await bed.follow();

    expect(bed.objects()).toMatchObject({ [AT]: "1", "configmaps/shop/b": undefined });
    expect(bed.debts()).toEqual({ "configmaps/shop/b": "occupied" });
  });
});

describe("touched: ours, written by somebody else, and still what the source wants", () => {
  it("keeps the destination's status, and is no drift", async () => {
    const bed = await bedWith({ rules: DEPLOYMENTS });
    const path = "deployments/shop/web";
    await bed.put(path, {
      spec: { replicas: 1 },
      metadata: { generation: 4 },
      status: { here: 1 },
    });
    const { mirror } = await bed.follow();
    const made = bed.object(path);
    await bed.putInto(bed.destination, path, { ...made, status: { there: 2 } });
    await bed.settle();
    bed.takeWrites();

    await bed.put(path, {
      spec: { replicas: 1 },
      metadata: { generation: 4 },
      status: { here: 3 },
    });
    await bed.settle();

    expect(made).not.toHaveProperty("status");
    expect(bed.takeWrites()).toEqual([]);
    expect(bed.object(path)).toMatchObject({ status: { there: 2 } });
    expect(mirror.status.drift).toMatchObject({ repaired: 0, reported: 0 });
  });

  it("is no drift either when the source has gone on before anybody looked", async () => {
    const { bed, path, touchedAndChanged } = await unseenDeployment();

    const { mirror } = await touchedAndChanged({ spec: { replicas: 1 }, status: { there: 2 } });

    expect(bed.object(path)).toMatchObject({ spec: { replicas: 2 }, status: { there: 2 } });
    expect(mirror.status.drift).toMatchObject({ repaired: 0, reported: 0 });
    expect(bed.debts()).toEqual({});
  });

  it("gets the next generation of its own when the desired part changes, so that its controllers act", async () => {
    const bed = await bedWith({ rules: DEPLOYMENTS });
    const path = "deployments/shop/web";
    await bed.put(path, { spec: { replicas: 1 }, metadata: { generation: 4 } });
    await bed.follow();
    const made = bed.object(path);
    const metadata = { ...Object(made?.["metadata"]), generation: 9 };
    await bed.putInto(bed.destination, path, { ...made, metadata, status: { there: 2 } });
    await bed.settle();

    await bed.put(path, { spec: { replicas: 2 }, metadata: { generation: 5 } });
    await bed.settle();

    expect(bed.object(path)).toMatchObject({
      spec: { replicas: 2 },
      metadata: { generation: 10 },
      status: { there: 2 },
    });
  });
});

describe("drifted: ours, changed by somebody else", () => {
  it("is repaired at once, and counted", async () => {
    const bed = await bedWith();
    await bed.put(AT, { ...YES, data: "1" });
    const { mirror } = await bed.follow();

    await bed.putInto(bed.destination, AT, { ...YES, data: "theirs" });
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [AT]: "1" });
    expect(mirror.status.drift.repaired).toBe(1);
  });

  it("is put again when somebody has deleted it, with a uid that nobody has seen missing", async () => {
    const bed = await bedWith();
    await bed.put(AT, { ...YES, data: "1", metadata: { uid: "seen" } });
    await bed.follow();

    await bed.deleteFrom(bed.destination, AT);
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [AT]: "1" });
    expect(bed.object(AT)).not.toMatchObject({ metadata: { uid: "seen" } });
  });

  it("is left and owed under report, with the paths of the fields and none of their values", async () => {
    const bed = await bedWith({ policy: { onDrift: "report" } });
    await bed.put(AT, { ...YES, data: "1" });
    const { mirror } = await bed.follow();

    await bed.putInto(bed.destination, AT, { ...YES, data: "theirs" });
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [AT]: "theirs" });
    expect(mirror.status.refused).toMatchObject([{ path: AT, code: "drifted", detail: "data" }]);
  });

  it("is told by what the source was when the object was made, not by what it has changed since", async () => {
    const { bed, path, touchedAndChanged } = await unseenDeployment();

    const { mirror } = await touchedAndChanged({ spec: { replicas: 1, paused: true } });

    expect(bed.object(path)).toMatchObject({ spec: { replicas: 1, paused: true } });
    expect(mirror.status.refused).toMatchObject([{ path, code: "drifted", detail: "spec.paused" }]);
  });

  it("is what differs from the source's newest value when the older one is compacted", async () => {
    const { bed, path, touchedAndChanged } = await unseenDeployment();

    const { mirror } = await touchedAndChanged(
      { spec: { replicas: 1 }, status: { there: 2 } },
      () => bed.source.store.compact(bed.source.store.revision),
    );

    expect(bed.object(path)).toMatchObject({ spec: { replicas: 1 } });
    expect(mirror.status.refused).toMatchObject([{ path, code: "drifted" }]);
  });

  it("is found by the next start when nobody was there to see it", async () => {
    const bed = await bedWith();
    await bed.put(AT, { ...YES, data: "1" });
    const first = await bed.follow();
    await first.stop();
    await bed.putInto(bed.destination, AT, { ...YES, data: "theirs" });

    await bed.follow();
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [AT]: "1" });
  });
});
