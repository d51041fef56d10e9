import { beforeEach, describe, expect, it } from "vitest";
import { LeaveCommand } from "../../../src/leave-command.js";
import { LEASES } from "../../../src/leader/lease-record.js";
import { RetryableError } from "../../../src/ports/errors.js";
import type { KubeObject } from "../../../src/ports/kube-api.js";
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  NAMESPACES,
  SERVICES,
} from "../../../src/ports/kube-resources.js";
import type { LeaveQuestion, LeaveReport } from "../../../src/ports/leave-report.js";
import type { Cannot } from "../../../src/ports/certificates-answers.js";
import { rfc3339 } from "../../../src/ports/timestamps.js";
import { sha256 } from "../../../src/runtime/sha256.js";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { DirectApi } from "../../fixtures/direct-api.js";
import { kubeService } from "../../fixtures/kube-objects.js";
import { newObject, ReconcileBed } from "../../fixtures/reconcile-bed.js";
import { LINK, service } from "../../fixtures/service.js";
import { rawSlice } from "../../fixtures/slices.js";

const REF = { namespace: "prod", name: "web" };
const MEANT: LeaveQuestion = { kind: "hand-over", link: LINK, namespaces: [], isMeant: true };

let bed: ReconcileBed;
let api: DirectApi;

beforeEach(async () => {
  await mirrored({});
});

async function mirrored(options: ConstructorParameters<typeof ReconcileBed>[0]): Promise<void> {
  bed = new ReconcileBed(options);
  api = new DirectApi(bed.server, "b");
  bed.create(
    service("shop/web").ferried(),
    rawSlice("shop/web-1", "web").address("10.1.0.1").address("10.1.0.2"),
  );
  await bed.reconcile();
  bed.server.audit.clear();
}

/** As the cluster's own controller does, as soon as nothing keeps it away. */
function mirrorEndpoints(): void {
  api.before = (request) => {
    if (!request.includes("managed-by=endpointslicemirroring")) return;
    const endpoints = bed.server.get(ENDPOINTS, REF);
    expect(endpoints.metadata.labels?.["endpointslice.kubernetes.io/skip-mirror"]).toBeUndefined();
    const slice = rawSlice("prod/web-mirrored", "web").address("10.1.0.1").address("10.1.0.2");
    const made: KubeObject = newObject<KubeObject>(slice);
    const labels = {
      ...made.metadata.labels,
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    };
    bed.server.create(ENDPOINT_SLICES, {
      ...made,
      metadata: { ...made.metadata, labels },
    } as KubeObject);
    api.before = () => {};
  };
}

async function leave(question: Partial<LeaveQuestion>): Promise<LeaveReport | Cannot> {
  const { clock } = bed;
  const command = new LeaveCommand({
    open: async () => Object.assign(api, { close: async () => {} }),
    clock,
    random: new SeededRandom(1),
    digest: sha256,
    lease: { durationMs: 300, renewDeadlineMs: 200, retryPeriodMs: 50 },
  });
  const leaving = command.leave(
    { name: "b", access: { kind: "in-cluster" } },
    { ...MEANT, ...question },
  );
  const [answer] = await Promise.all([leaving, clock.advance(60_000)]);
  return answer;
}

function ours(): readonly string[] {
  const all = [SERVICES, ENDPOINTS, ENDPOINT_SLICES].flatMap((resource) =>
    bed.server.list(resource, { namespace: "prod" }).items.map((object) => ({ resource, object })),
  );
  return all
    .filter(({ object }) => JSON.stringify(object.metadata).includes("svc-ferry"))
    .map(({ resource, object }) => `${resource.plural} ${object.metadata.name}`);
}

describe("svc-ferry leave, only asked", () => {
  it("says what it would do, and does nothing", async () => {
    const report = await leave({ isMeant: false });

    expect(report).toMatchObject({
      kind: "left",
      link: LINK,
      mirrors: 1,
      writes: [
        "patch endpoints prod/web",
        expect.stringMatching(/^delete endpointslices prod\/web-/),
        "patch services prod/web",
      ],
      troubles: [],
    });
    expect(bed.server.audit.lines).toEqual([]);
  });

  it("finds the only link there is, and asks which where there are several", async () => {
    const only = await leave({ isMeant: false, link: undefined });
    const other = service("prod/other").mirrorOf("x/y", "another");
    bed.server.create(SERVICES, newObject(kubeService(other)));

    expect(only).toMatchObject({ link: LINK });
    expect(await leave({ isMeant: false, link: undefined })).toMatchObject({
      kind: "cannot",
      problem: expect.stringContaining("another"),
      fix: "say which one leaves: --link",
    });
  });
});

describe("svc-ferry leave --to k8s-svc-sync", () => {
  it("keeps the mark, the addresses and the Service, and takes all of ours away", async () => {
    const before = bed.server.get(SERVICES, REF);
    mirrorEndpoints();

    const report = await leave({});

    expect(report).toMatchObject({ troubles: [], mirrors: 1 });
    expect(ours()).toEqual([]);
    const after = bed.server.get(SERVICES, REF);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.labels).toEqual({ sync: "true-external" });
    expect(JSON.stringify(bed.server.get(ENDPOINTS, REF))).toContain("10.1.0.2");
    const slices = bed.server.list(ENDPOINT_SLICES, { namespace: "prod" }).items;
    expect(slices.map(({ metadata }) => metadata.name)).toEqual(["web-mirrored"]);
  });

  it("makes Endpoints of slices where there were none", async () => {
    await mirrored({ endpoints: "slices" });
    mirrorEndpoints();

    await leave({});

    expect(bed.server.get(ENDPOINTS, REF)).toMatchObject({
      subsets: [{ addresses: [{ ip: "10.1.0.1" }, { ip: "10.1.0.2" }] }],
    });
    expect(ours()).toEqual([]);
  });

  it("keeps our slices, and the Service ours, when the cluster makes none of the Endpoints", async () => {
    const report = await leave({});

    expect(report).toMatchObject({ troubles: [expect.stringContaining("within 30 s")] });
    expect(ours().map((one) => one.split(" ")[0])).toEqual(["services", "endpointslices"]);
  });

  it("goes on where an earlier run was cut short", async () => {
    await leave({});
    mirrorEndpoints();

    const report = await leave({});

    expect(report).toMatchObject({
      troubles: [],
      writes: [expect.stringMatching(/^delete endpointslices/), "patch services prod/web"],
    });
    expect(ours()).toEqual([]);
  });

  it("touches no Endpoints of somebody else, and leaves that mirror as it is", async () => {
    await mirrored({ endpoints: "slices" });
    const subsets = [{ addresses: [{ ip: "10.9.9.9" }], ports: [{ port: 1 }] }];
    bed.server.create(ENDPOINTS, { metadata: REF, subsets } as KubeObject);
    bed.server.audit.clear();

    const report = await leave({});

    expect(report).toMatchObject({
      writes: [],
      troubles: [expect.stringContaining("somebody else's")],
    });
    expect(bed.server.audit.lines).toEqual([]);
  });
});

describe("svc-ferry leave --keep", () => {
  it("takes the link off, and changes nothing else", async () => {
    const { spec } = bed.server.get(SERVICES, REF) as KubeObject & { spec: unknown };

    const report = await leave({ kind: "keep" });

    expect(report).toMatchObject({ troubles: [] });
    const kept = bed.server.get(SERVICES, REF) as KubeObject & { spec: unknown };
    expect(kept.spec).toEqual(spec);
    expect(bed.server.list(SERVICES, { labelSelector: "svc-ferry.io/link" }).items).toEqual([]);
    const slices = bed.server.list(ENDPOINT_SLICES, { namespace: "prod" }).items;
    expect(slices).toHaveLength(1);
    expect(slices[0]?.metadata.labels).not.toHaveProperty("svc-ferry.io/link");
    expect(bed.server.get(ENDPOINTS, REF).metadata.annotations ?? {}).toEqual({});
  });
});

describe("svc-ferry leave --remove", () => {
  it("deletes the mirror with all that is under it, and nobody else's", async () => {
    const other = service("prod/other").mirrorOf("x/y", "another");
    bed.server.create(SERVICES, newObject(kubeService(other)));

    const report = await leave({ kind: "remove" });

    expect(report).toMatchObject({ troubles: [] });
    expect(ours()).toEqual(["services other"]);
  });

  it("deletes what is left of a mirror that somebody deleted", async () => {
    bed.server.delete(SERVICES, REF);

    await leave({ kind: "remove" });

    expect(ours()).toEqual([]);
  });

  it("deletes no Endpoints of somebody else", async () => {
    await mirrored({ endpoints: "slices" });
    bed.server.create(ENDPOINTS, { metadata: REF, subsets: [] } as KubeObject);

    await leave({ kind: "remove" });

    expect(bed.server.list(ENDPOINTS, { namespace: "prod" }).items).toHaveLength(1);
  });

  it("carries uid and version of what it read, and reads again what changed meanwhile", async () => {
    let isFirst = true;
    api.before = (request) => {
      if (!request.startsWith("delete services") || !isFirst) return;
      isFirst = false;
      bed.server.patch(SERVICES, REF, { metadata: { labels: { touched: "yes" } } });
    };

    const report = await leave({ kind: "remove" });

    expect(report).toMatchObject({ troubles: [] });
    expect(ours()).toEqual([]);
  });

  it("tells what could not be done, and goes on with the rest", async () => {
    bed.create(service("shop/api").ferried());
    await bed.reconcile("prod/api");
    api.before = (request) => {
      if (request === "delete services prod/api") throw new RetryableError("FERRY-K006", "policy");
    };

    const report = await leave({ kind: "remove" });

    expect(report).toMatchObject({ troubles: ["prod/api: policy (FERRY-K006)"] });
    expect(ours()).toEqual(["services api"]);
  });
});

describe("the link's Lease", () => {
  function hold(holderIdentity: string): void {
    const renewTime = rfc3339(bed.clock.now()).replace("Z", "000Z");
    const metadata = { namespace: "prod", name: LINK };
    const spec = { holderIdentity, leaseDurationSeconds: 15, renewTime };
    const lease = { metadata, spec } as KubeObject;
    bed.server.create(LEASES, lease);
    bed.server.audit.clear();
  }

  it("keeps everything as it is while a leader renews it", async () => {
    hold("pod-1");
    const live = setRenewing();

    const answer = await leave({ kind: "remove" });
    live.stop();

    expect(answer).toMatchObject({
      kind: "cannot",
      problem: `the link is alive: pod-1 holds Lease prod/${LINK}`,
      fix: expect.stringContaining("--replicas=0"),
    });
    expect(ours()).toHaveLength(3);
  });

  it("names its holder when it is only asked", async () => {
    hold("pod-1");

    expect(await leave({ isMeant: false })).toMatchObject({ holder: "pod-1" });
  });

  /** Each look of ours sees a newer renewal. */
  function setRenewing(): { readonly stop: () => void } {
    let count = 0;
    api.before = (request) => {
      if (!request.startsWith("get leases")) return;
      count += 1;
      const renewTime = rfc3339(bed.clock.now() + count).replace("Z", "000Z");
      bed.server.patch(LEASES, { namespace: "prod", name: LINK }, { spec: { renewTime } });
    };
    return { stop: () => void (api.before = () => {}) };
  }
});

describe("a destination that does not answer", () => {
  it("is an error, and nothing was written", async () => {
    api.before = () => {
      throw new RetryableError("FERRY-K001", "refused");
    };

    await expect(leave({})).rejects.toThrow("refused");
  });

  it("has no namespace that was not asked for", async () => {
    bed.server.create(NAMESPACES, { metadata: { name: "stage" } });

    await leave({ isMeant: false, namespaces: ["stage"] });

    expect(api.requests.filter((request) => request.includes("prod"))).toEqual([]);
  });
});
