import { beforeEach, describe, expect, it } from "vitest";
import { decodeState, encodeState, type LinkState } from "../../../../sidecar/link/state.js";
import { MirrorDoctorBed } from "../../../fixtures/mirror-doctor-bed.js";

const STATE = "/svc-ferry/east/state";

let doctor: MirrorDoctorBed;
beforeEach(() => {
  doctor = new MirrorDoctorBed();
});

/** A link that has copied and stands still, with another state than it left. */
async function left(change: Partial<LinkState> = {}): Promise<void> {
  const { bed } = doctor;
  await bed.put("configmaps/shop/web", { labels: { mirror: "yes" } });
  await (await bed.follow()).stop();
  const kv = bed.destination.store.get(STATE);
  if (kv === undefined) throw new Error("the mirror has left no state");
  const value = encodeState({ ...decodeState(kv.value), ...change });
  await bed.write(bed.destination, { kind: "put", key: STATE, value });
}

describe("link", () => {
  it("tells a link that has never written, one that stands still, and who writes it", async () => {
    expect(await doctor.found("link")).toEqual({
      result: "ok",
      message: "it has never written here; no mirror of it runs",
    });
    await left();
    expect(await doctor.found("link")).toEqual({
      result: "ok",
      message: "applied to 2; no mirror of it runs",
    });
    await doctor.bed.follow();
    expect(await doctor.found("link")).toMatchObject({
      message: expect.stringMatching(/; written by pod-2/),
    });
  });

  it("warns of a seal, and says by whom", async () => {
    await left({ phase: "sealed", sealed: { by: "alice", atMs: 0 } });

    expect(await doctor.found("link")).toEqual({
      result: "warn",
      message: "it is sealed by alice at 1970-01-01T00:00:00.000Z: a mirror writes nothing",
    });
  });

  it("fails with another destination than the books are about, and warns where that is accepted", async () => {
    await left({ destinationClusterId: "99" });

    expect(await doctor.found("link")).toMatchObject({ result: "fail" });
    expect(await doctor.found("link", { acceptNewDestination: true })).toMatchObject({
      result: "warn",
    });
  });

  it("warns of a source that was restored", async () => {
    await left({ applied: 1_000n });

    expect(await doctor.found("link")).toMatchObject({
      result: "warn",
      message: expect.stringContaining("it was restored from a backup"),
    });
  });

  it("warns when the books were written in the future", async () => {
    await left({ writtenAtMs: doctor.bed.clock.now() + 61_000 });

    expect(await doctor.found("link")).toMatchObject({
      result: "warn",
      message: expect.stringContaining("its books were written 61 s from now"),
    });
  });

  it("fails with books that a newer version has written", async () => {
    const value = Buffer.from('{"formatVersion":2}');
    await doctor.bed.write(doctor.bed.destination, { kind: "put", key: STATE, value });

    expect(await doctor.found("link")).toMatchObject({ result: "fail" });
  });
});

describe("same-etcd", () => {
  it("fails when both sides are one etcd and their prefixes overlap", async () => {
    const { source, destination } = doctor.bed;
    expect(await doctor.found("same-etcd")).toEqual({ result: "ok", message: "two etcds" });
    destination.restore(destination.backup(), source.header.clusterId);

    expect(await doctor.found("same-etcd")).toMatchObject({ result: "fail" });
    expect(await doctor.found("same-etcd", { destKubePrefix: "/elsewhere" })).toEqual({
      result: "ok",
      message: "one etcd, other prefixes",
    });
  });
});

describe("dst-cold", () => {
  it("warns of an API server that runs there although --dest-cold says otherwise", async () => {
    const { bed } = doctor;
    const cold = { destCold: true };
    expect(await doctor.found("dst-cold", cold)).toMatchObject({ result: "ok" });
    const key = "/registry/masterleases/10.0.0.1";
    await bed.write(bed.destination, { kind: "put", key, value: Buffer.from("x") });

    expect(await doctor.found("dst-cold", cold)).toMatchObject({
      result: "warn",
      message: expect.stringContaining(key),
    });
  });
});
