import { beforeEach, describe, expect, it } from "vitest";
import { EtcdError } from "../../../../sidecar/etcd/etcd.js";
import { MirrorDoctorBed } from "../../../fixtures/mirror-doctor-bed.js";
import { LABELLED } from "../../../fixtures/mirror-bed.js";

const GIB = 1024n ** 3n;
const USER = {
  sourceUser: "reader",
  sourcePasswordFile: "/p",
  destUser: "writer",
  destPasswordFile: "/p",
};

let doctor: MirrorDoctorBed;
beforeEach(() => {
  doctor = new MirrorDoctorBed();
});

describe("mirror doctor", () => {
  it("finds everything right before a first start, writes nothing, and closes both etcds", async () => {
    const { bed } = doctor;
    await bed.put("configmaps/shop/web", { labels: { mirror: "yes" } });
    const before = [bed.source.header.revision, bed.destination.header.revision];

    const answer = await doctor.examine();

    expect(answer).toMatchObject({
      kind: "report",
      report: { kind: "DoctorReport", version: "1.2.3", summary: { warn: 0, fail: 0, skip: 0 } },
    });
    expect([bed.source.header.revision, bed.destination.header.revision]).toEqual(before);
    expect(doctor.closed.toSorted()).toEqual(["destination", "source"]);
  });

  it("tells an etcd that does not answer once, and what waits for it as skipped", async () => {
    doctor.bed.source.faults.setOutage(true);

    const answer = await doctor.examine();

    const checks = answer.kind === "report" ? answer.report.checks : [];
    const failed = checks.filter(({ result }) => result === "fail");
    expect(failed.map(({ id, code }) => `${id} ${code}`)).toEqual(["src-etcd unavailable"]);
    expect(checks.find(({ id }) => id === "dst-etcd-first-copy")).toMatchObject({
      result: "skip",
      waitsFor: "src-etcd",
    });
    expect(checks.find(({ id }) => id === "dst-etcd-space")).toMatchObject({ result: "ok" });
  });

  it("looks at what is asked for alone, and knows no other names", async () => {
    const only = await doctor.examine({}, { only: ["link"] });
    const slip = await doctor.examine({}, { skip: ["dst-etdc"] });

    expect(only.kind === "report" && only.report.checks.map(({ id }) => id)).toEqual([
      "same-etcd",
      "link",
    ]);
    expect(slip).toEqual({ kind: "unknown-names", names: ["dst-etdc"] });
  });

  it("looks again at a file that was wrong", async () => {
    doctor.rules("filters: [");
    const { clock } = doctor.bed;

    const answering = doctor.examine({}, { waitMs: 3_000 });
    await clock.advance(1_000);
    doctor.rules(LABELLED);
    await clock.advance(3_000);
    const answer = await answering;

    expect(answer).toMatchObject({ report: { summary: { fail: 0, skip: 0 } } });
  });
});

describe("rules", () => {
  it("tells how many there are, that there are none, and every mistake", async () => {
    expect(await doctor.found("rules")).toEqual({ result: "ok", message: "2 rules" });
    doctor.files.clear();
    expect(await doctor.found("rules")).toMatchObject({
      result: "warn",
      message: "there is no rules file /etc/mirror/rules.yaml: nothing is mirrored",
    });
    doctor.rules("filters:\n  secondary:\n    - { grup: '' }\n");
    expect(await doctor.found("rules")).toMatchObject({
      result: "fail",
      message: expect.stringContaining("/etc/mirror/rules.yaml:3"),
    });
  });
});

describe("rules-names", () => {
  it("tells kinds that no CRD of the source offers, with their line", async () => {
    doctor.rules(
      "filters:\n  secondary:\n    - { group: shop.io, resources: [{ group: shop.io, version: v1, kind: Cart }] }\n",
    );

    expect(await doctor.found("rules-names")).toEqual({
      result: "warn",
      message: "line 3: secondary[0]: the source stores no CRD for cart.shop.io",
    });
    doctor.rules(LABELLED);
    expect(await doctor.found("rules-names")).toMatchObject({ result: "ok" });
  });
});

describe("the destination's API server", () => {
  const API = { destKubeconfig: "/k" };
  const REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

  it("is asked where one is configured: whether it answers, its clock, and each right", async () => {
    const { apiServer } = doctor;
    apiServer.answers.set("/readyz", { body: "ok" });
    apiServer.answers.set(REVIEW, { status: 201, body: { status: { allowed: false } } });
    apiServer.answers.set("/version", {
      body: { gitVersion: "v1.36.3", minor: "36" },
      dateMs: apiServer.clock.now() + 90_000,
    });

    const answer = await doctor.examine(API, { only: ["destination API server"] });

    const checks = answer.kind === "report" ? answer.report.checks : [];
    expect(checks.map(({ id, result }) => `${id} ${result}`)).toEqual([
      "dst-reach ok",
      "dst-version ok",
      "dst-clock fail",
      expect.stringMatching(/^dst-cred /),
      "dst-rbac:get:services fail",
      "dst-rbac:create:services fail",
      "dst-rbac:update:services fail",
      "dst-rbac:delete:services fail",
      "dst-rbac:get:servicecidrs warn",
      "dst-rbac:get:namespaces fail",
      "dst-rbac:delete:namespaces fail",
      "dst-rbac:get:customresourcedefinitions fail",
      "dst-rbac:delete:customresourcedefinitions fail",
    ]);
    expect(apiServer.closed).toBe(1);
  });

  it("needs no right to delete Namespaces that are never deleted, and tells its own flags", async () => {
    const never = { ...API, deleteNamespaces: "never" };
    doctor.apiServer.answers.set("/readyz", { status: 401 });

    const answer = await doctor.examine(never);

    const checks = answer.kind === "report" ? answer.report.checks : [];
    expect(checks.filter(({ id }) => id.startsWith("dst-rbac:delete:"))).toHaveLength(1);
    expect(await doctor.remedy("dst-reach", never)).toMatchObject({
      text: "correct --dest-kubeconfig and --dest-context, or make the credential anew",
    });
  });
});

describe("src-etcd and dst-etcd", () => {
  it("names endpoints that are silent, and learners", async () => {
    const { destination } = doctor.bed;
    const two = { destEndpoints: "http://a:1,http://b:2" };

    expect(await doctor.found("dst-etcd", two)).toMatchObject({ result: "warn" });
    doctor.tells(destination, { endpoint: "a:1" });
    expect(await doctor.found("dst-etcd", two)).toEqual({
      result: "warn",
      message: "1 of 2 endpoints answer, not: http://b:2",
    });
    doctor.tells(destination, { endpoint: "a:1" }, { endpoint: "b:2", isLearner: true });
    expect(await doctor.found("dst-etcd", two)).toEqual({
      result: "warn",
      message: "2 of 2 endpoints answer, learners among them: b:2",
    });
  });

  it("is content with an answer where only root is told of members", async () => {
    doctor.bed.destination.members = async () => {
      throw new EtcdError("permission", "etcdserver: permission denied");
    };

    expect(await doctor.found("dst-etcd")).toEqual({ result: "ok", message: "it answers" });
    expect(await doctor.found("dst-etcd-version")).toMatchObject({ result: "skip" });
    expect(await doctor.found("dst-etcd-space")).toMatchObject({ result: "skip" });
  });

  it("fails with a password that is not taken", async () => {
    doctor.bed.source.revision = async () => {
      throw new EtcdError("auth", "etcdserver: authentication failed");
    };

    expect(await doctor.found("src-etcd")).toMatchObject({ result: "fail", code: "auth" });
  });
});

describe("versions and health", () => {
  it.each([
    ["src-etcd-version", "3.5.9", "warn"],
    ["dst-etcd-version", "3.5.9", "ok"],
    ["src-etcd-version", "3.5.13", "ok"],
    ["dst-etcd-version", "3.7.0", "warn"],
    ["dst-etcd-version", "3.3.27", "fail"],
    ["dst-etcd-version", "k3s", "fail"],
  ])("%s of etcd %s is %s", async (id, version, result) => {
    const { source, destination } = doctor.bed;
    doctor.tells(source, { version });
    doctor.tells(destination, { version });

    expect(await doctor.found(id)).toMatchObject({ result });
  });

  it("fails with an alarm of the destination, and warns of one of the source", async () => {
    const { source, destination } = doctor.bed;
    for (const etcd of [source, destination]) etcd.noSpace = true;

    expect(await doctor.found("dst-etcd-health")).toMatchObject({
      result: "fail",
      code: "no-space",
    });
    expect(await doctor.found("src-etcd-health")).toMatchObject({ result: "warn" });
  });

  it("fails with a destination that takes one operation in a transaction only", async () => {
    doctor.bed.destination.refusesLargeTxns = true;

    expect(await doctor.found("dst-etcd-transactions")).toMatchObject({
      result: "fail",
      code: "unsupported",
    });
  });
});

describe("rights", () => {
  it("tells each that is missing, with what grants the first", async () => {
    const { source, destination } = doctor.bed;
    doctor.forbids(source, "read", (key) => key.startsWith("/svc-ferry/"));
    doctor.forbids(source, "write", () => true);
    doctor.forbids(destination, "write", (key) => key.startsWith("/registry/"));
    doctor.forbids(destination, "read", (key) => key === "compact_rev_key");

    expect(await doctor.found("src-etcd-rights", USER)).toEqual({
      result: "fail",
      code: "permission",
      message: "user reader may not read below /svc-ferry/",
    });
    expect(await doctor.found("dst-etcd-rights", USER)).toEqual({
      result: "fail",
      code: "permission",
      message: "user writer may not read and write below /registry/, read compact_rev_key",
    });
    expect(await doctor.remedy("dst-etcd-rights", USER)).toMatchObject({
      command: "etcdctl role grant-permission ROLE --prefix=true readwrite /registry/",
    });
  });

  it("warns of a source's user that may write", async () => {
    const { source } = doctor.bed;

    expect(await doctor.found("src-etcd-rights", USER)).toMatchObject({ result: "warn" });
    doctor.forbids(source, "write", () => true);
    expect(await doctor.found("src-etcd-rights", USER)).toMatchObject({ result: "ok" });
  });
});

describe("room", () => {
  const scene = async (room: {
    readonly inUse: bigint;
    readonly allocated?: bigint;
    readonly quota?: bigint;
  }): Promise<void> => {
    const { bed } = doctor;
    const { inUse, allocated = inUse, quota = GIB } = room;
    doctor.tells(bed.destination, {
      dbSizeBytes: allocated,
      dbSizeInUseBytes: inUse,
      dbSizeQuotaBytes: quota,
    });
  };

  it("warns of a database beyond 80 % of its quota, with the way that helps", async () => {
    await scene({ inUse: 0n, allocated: (GIB * 4n) / 5n });
    expect(await doctor.found("dst-etcd-space")).toMatchObject({
      result: "ok",
      message: "0 B in use, 819.2 MiB allocated, quota 1.0 GiB",
    });
    await scene({ inUse: 0n, allocated: (GIB * 4n) / 5n + 2n });
    expect(await doctor.found("dst-etcd-space")).toMatchObject({ result: "warn" });
    expect(await doctor.remedy("dst-etcd-space")).toMatchObject({
      command: "etcdctl defrag --cluster",
    });
    await scene({ inUse: (GIB * 9n) / 10n });
    expect((await doctor.remedy("dst-etcd-space"))?.text).toMatch(/^compact it/);
  });

  it("goes by the fullest member, and by the one that may take least", async () => {
    doctor.tells(
      doctor.bed.destination,
      { dbSizeBytes: GIB, dbSizeInUseBytes: GIB, dbSizeQuotaBytes: GIB * 8n },
      { dbSizeBytes: 0n, dbSizeInUseBytes: 0n, dbSizeQuotaBytes: GIB * 2n },
    );

    expect(await doctor.found("dst-etcd-space")).toEqual({
      result: "ok",
      message: "1.0 GiB in use, 1.0 GiB allocated, quota 2.0 GiB",
    });
  });

  it("refuses a first copy that would fill more than 80 % of the quota, by its numbers", async () => {
    const { bed } = doctor;
    for (const name of ["a", "b"]) {
      await bed.put(`configmaps/shop/${name}`, {
        labels: { mirror: "yes" },
        data: "x".repeat(5_000),
      });
    }
    const small = 16_384n;

    await scene({ inUse: 0n, quota: small * 2n });
    expect(await doctor.found("dst-etcd-first-copy")).toMatchObject({ result: "ok" });
    await scene({ inUse: 0n, quota: small });
    expect(await doctor.found("dst-etcd-first-copy")).toEqual({
      result: "fail",
      code: "no-space",
      message:
        "2 objects of 10.1 KiB, which take some 22.2 KiB; 0 B in use, 0 B allocated, quota 16.0 KiB: more than 80 % of it would be full",
    });
  });

  it("looks at every object before it refuses: the rules may take few of many", async () => {
    const { bed } = doctor;
    for (const name of ["a", "b", "c"]) {
      await bed.put(`configmaps/shop/${name}`, { data: "x".repeat(5_000) });
    }
    await bed.put("configmaps/shop/d", { labels: { mirror: "yes" } });
    await scene({ inUse: 0n, quota: 16_384n });

    expect(await doctor.found("dst-etcd-first-copy")).toMatchObject({
      result: "ok",
      message: expect.stringMatching(/^1 object of /),
    });
  });

  it("only warns where an older etcd does not tell its quota", async () => {
    const { bed } = doctor;
    await bed.put("configmaps/shop/a", { labels: { mirror: "yes" } });
    await scene({ inUse: GIB * 2n, quota: 0n });

    expect(await doctor.found("dst-etcd-first-copy")).toMatchObject({ result: "warn" });
  });

  it("has nothing to say of a copy that is done", async () => {
    const { bed } = doctor;
    await bed.put("configmaps/shop/a", { labels: { mirror: "yes" } });
    await (await bed.follow()).stop();
    await scene({ inUse: GIB, quota: GIB });

    expect(await doctor.found("dst-etcd-first-copy")).toEqual({
      result: "ok",
      message: "the first copy is done",
    });
  });
});
