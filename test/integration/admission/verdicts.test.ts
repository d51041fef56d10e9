import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { Answer } from "../../harness/cluster.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import type { Manifest } from "../../harness/manifest.js";
import { service, slice } from "../../harness/manifests.js";

let bed: AdmissionBed;
let leader: FerryRun;

beforeAll(async () => {
  bed = await openAdmissionBed();
  leader = await bed.run({ flags: { dstNs: `${bed.dst.namespace}` } });
  await bed.route(leader);
});
afterAll(async () => bed.close());

interface Refusal {
  readonly reason: string;
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field: string }[] };
}

async function post(object: Manifest, query = ""): Promise<Answer> {
  const path = `/api/v1/namespaces/${bed.src.namespace}/services${query}`;
  return bed.source.request("POST", path, object);
}

function refusal({ status, body }: Answer): Refusal & { readonly status: number } {
  return { ...(body as Refusal), status };
}

function asking(name: string, targetName: string): Manifest {
  const annotations = { "svc-ferry.io/target-name": targetName };
  return service(bed.src.namespace, name, { annotations });
}

describe("a name that cannot work", () => {
  it("is refused with who owns it, since when, what to do and a code", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "owner"));
    await bed.dst.untilService("owner");

    const answer = refusal(await post(asking("rival", "owner")));

    expect(answer).toMatchObject({ status: 403, reason: "Forbidden" });
    expect(answer.message).toContain(`mirrors ${namespace}/owner (created 20`);
    expect(answer.message).toContain("give");
    expect(answer.message).toContain("(name-taken)");
    expect(answer.details?.causes?.[0]?.field).toBe(
      "metadata.annotations[svc-ferry.io/target-name]",
    );
    expect(await bed.src.get("Service", "rival")).toBeUndefined();
    await leader.untilLogged("refused");
  });

  it("is refused when a foreign Service has it in the destination, which nobody touches", async () => {
    const foreign = { labels: {}, spec: { ports: [{ port: 5 }] } };
    await bed.dst.apply(service(bed.dst.namespace, "theirs", foreign));
    await bed.settle(leader);
    const before = await bed.dst.service("theirs");

    const answer = refusal(await post(service(bed.src.namespace, "theirs")));

    expect(answer).toMatchObject({ status: 403 });
    expect(answer.message).toContain("(name-occupied)");
    expect(await bed.dst.service("theirs")).toEqual(before);
  });

  it("is refused when its route may not write there, also for a namespace of Kubernetes", async () => {
    const there = (namespace: string): Manifest =>
      service(bed.src.namespace, "tenant", {
        annotations: { "svc-ferry.io/target-namespace": namespace },
      });

    const answers = await Promise.all(["kube-system", "default"].map((ns) => post(there(ns))));

    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(answers.map((answer) => refusal(answer).message)).toEqual([
      expect.stringContaining("(target-not-allowed)"),
      expect.stringContaining("(target-not-allowed)"),
    ]);
  });

  it("is refused for a mirror that is to travel on", async () => {
    const labels = { sync: "true", "svc-ferry.io/link": "somebody" };

    const answer = refusal(await post(service(bed.src.namespace, "again", { labels })));

    expect(answer).toMatchObject({ status: 403 });
    expect(answer.message).toContain("(is-a-mirror)");
  });

  it("keeps the stored Service when kubectl applies by force, and is refused in one round", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "holder"));
    await bed.source.create(service(namespace, "mover"));
    await bed.dst.untilService("holder");
    const { uid } = (await bed.src.service("mover")).metadata;

    const applied = await bed.source.request(
      "PATCH",
      `/api/v1/namespaces/${namespace}/services/mover?fieldManager=kubectl&force=true`,
      asking("mover", "holder"),
      "application/apply-patch+yaml",
    );

    expect(applied.status).toBe(403);
    expect((await bed.src.service("mover")).metadata.uid).toBe(uid);
  });
});

describe("what is no news", () => {
  it("may be edited by the loser of a name, with a warning", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "first"));
    await bed.dst.untilService("first");
    bed.cutOff();
    await bed.source.create(asking("second", "first"));
    await bed.route(leader);
    await leader.untilState(`${namespace}/second`, "conflict");

    const answer = await bed.source.request(
      "PATCH",
      `/api/v1/namespaces/${namespace}/services/second`,
      { spec: { ports: [{ port: 81 }] } },
      "application/merge-patch+json",
    );

    expect(answer.status).toBe(200);
    expect(answer.warnings).toEqual([expect.stringMatching(/^not synced: .{0,108}$/)]);
  });

  it("is said of a type that the destination gets another for", async () => {
    const answer = await post(
      service(bed.src.namespace, "balanced", { spec: { type: "NodePort" } }),
    );

    expect(answer.status).toBe(201);
    expect(answer.warnings).toEqual([expect.stringContaining("NodePort")]);
  });
});

describe("a dry run", () => {
  it("leaves nothing behind in 100 rounds, and still reports a conflict", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "solid"));
    await bed.dst.untilService("solid");
    const lines = leader.logged("admitted").length;
    const hints = (await leader.metric("svc_ferry_hints_total")) ?? 0;
    await bed.forgetWrites();

    for (let round = 0; round < 100; round += 1) {
      const created = await post(service(namespace, "dry"), "?dryRun=All");
      const patched = await bed.source.request(
        "PATCH",
        `/api/v1/namespaces/${namespace}/services/solid?dryRun=All`,
        { spec: { ports: [{ port: 1 + round }] } },
        "application/merge-patch+json",
      );
      expect([created.status, patched.status]).toEqual([201, 200]);
      expect(JSON.stringify([created.body, patched.body])).not.toContain(`dry${round}`);
    }
    const conflict = refusal(await post(asking("dry", "solid"), "?dryRun=All"));
    // Had a dry run reserved it, this one would be refused.
    const other = await post(asking("taker", "dry"));
    await bed.dst.untilService("dry");
    await bed.settle(leader);

    expect(conflict).toMatchObject({ status: 403 });
    expect(other.status).toBe(201);
    const news = leader.logged("admitted").slice(lines);
    expect(
      news.map((line) => line["service"]).filter((one) => !String(one).endsWith("canary")),
    ).toEqual([`${namespace}/taker`]);
    const written = await bed.writes(leader);
    expect(written.filter((write) => !write.includes("dry"))).toEqual([]);
    expect((await leader.metric("svc_ferry_hints_total")) ?? 0).toBeGreaterThan(hints);
  });
});

describe("an object that is stamped", () => {
  it("is the same after an apply that changes nothing, and keeps its stamp through one that means nothing", async () => {
    const { namespace } = bed.src;
    const manifest = service(namespace, "calm");
    await bed.source.apply(manifest);
    const before = await bed.src.service("calm");

    await bed.source.apply(manifest);
    const same = await bed.src.service("calm");
    await bed.src.patch("Service", "calm", { metadata: { annotations: { note: "hello" } } });
    const noted = await bed.src.service("calm");

    expect(same.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const stamp = Object.entries(before.metadata.annotations ?? {});
    expect(stamp).toHaveLength(4);
    expect(Object.entries(noted.metadata.annotations ?? {})).toEqual(
      expect.arrayContaining([...stamp, ["note", "hello"]]),
    );
  });

  it("gets it back from a full replacement that leaves it out, without a write to its mirror", async () => {
    const { namespace } = bed.src;
    await bed.src.apply(slice(namespace, "put", ["10.1.0.1"]), service(namespace, "put"));
    await bed.dst.untilAddresses("put", ["10.1.0.1"]);
    const stored = await bed.src.service("put");
    await bed.forgetWrites();
    const { annotations: _stamp, ...metadata } = stored.metadata;

    const answer = await bed.source.request("PUT", `/api/v1/namespaces/${namespace}/services/put`, {
      ...stored,
      metadata,
    });
    await bed.settle(leader);

    expect(answer.status).toBe(200);
    expect((await bed.src.service("put")).metadata.annotations).toEqual(
      stored.metadata.annotations,
    );
    expect(await bed.writes(leader, { name: "put" })).toEqual([]);
  });
});
