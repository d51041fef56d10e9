import { describe, expect, it } from "vitest";
import type { Route } from "../../../src/domain/route.js";
import type { ServiceKey } from "../../../src/domain/service-key.js";
import { LEASES } from "../../../src/leader/lease-record.js";
import { RetryableError } from "../../../src/ports/errors.js";
import type { KubeObject } from "../../../src/ports/kube-api.js";
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from "../../../src/ports/kube-resources.js";
import { rfc3339 } from "../../../src/ports/timestamps.js";
import { ExplainBed } from "../../fixtures/explain-bed.js";
import { kubeService } from "../../fixtures/kube-objects.js";
import { newObject } from "../../fixtures/reconcile-bed.js";
import { route } from "../../fixtures/route.js";
import { LINK, service, type ServiceBuilder } from "../../fixtures/service.js";
import { rawSlice } from "../../fixtures/slices.js";

const WEB = service("shop/web").ferried();
const SLICE = rawSlice("shop/web-1", "web").address("10.1.0.1");
const REF = { namespace: "prod", name: "web" };

/** As a person creates it. */
function plain(one: ServiceBuilder): KubeObject {
  return newObject(kubeService(one));
}

/** A bed with shop/web mirrored. */
async function mirrored(options: ConstructorParameters<typeof ExplainBed>[0] = {}, web = WEB) {
  const explained = new ExplainBed(options);
  explained.bed.create(web, SLICE);
  await explained.bed.reconcile();
  explained.bed.writes();
  return explained;
}

function lease(explained: ExplainBed, processId: string): KubeObject {
  return {
    metadata: {
      namespace: "prod",
      name: LINK,
      annotations: { "svc-ferry.io/process-id": processId },
    },
    spec: {
      holderIdentity: "clone-1",
      leaseDurationSeconds: 15,
      renewTime: rfc3339(explained.bed.clock.now()).replace("Z", "000Z"),
    },
  } as KubeObject;
}

describe("svc-ferry explain of a Service that is in order", () => {
  it("answers each step with yes, and closes what it opened", async () => {
    const explained = await mirrored();

    const finding = await explained.only("shop/web");

    expect(finding).toMatchObject({
      service: "shop/web",
      destination: "b",
      target: "prod/web",
      verdict: "synced",
      endpoints: { ready: 1, total: 1, slices: 1 },
      due: [],
      remarks: [],
    });
    expect(finding.reason).toBeUndefined();
    expect(finding.steps.map(({ id, result, text }) => `${id} ${result} ${text}`)).toEqual([
      'selected yes label sync=true, route "default"',
      "mapped yes prod/web (by the route alone)",
      "name-free yes it is ours, or to be had",
      "written yes nothing to change",
      "endpoints yes 1 ready of 1, 1 slice",
      "reachable unknown not probed: only a pod in the destination could tell (--probe asks from here)",
    ]);
    expect(explained.closed).toBe(2);
  });

  it("connects to the endpoints that the destination has, when it is asked to", async () => {
    const explained = await mirrored({}, WEB.port(80));
    const tried: string[] = [];
    explained.connect = async ({ host, port }) => {
      tried.push(`${host} ${port}`);
      return "answered";
    };

    const answered = await explained.only("shop/web");
    explained.connect = async () => "silent";
    const silent = await explained.only("shop/web");

    expect(tried).toEqual(["10.1.0.1 8080"]);
    expect(answered).toMatchObject({
      verdict: "synced",
      probes: [{ address: "10.1.0.1:8080", answer: "answered" }],
    });
    expect(answered.steps.at(-1)).toEqual({
      id: "reachable",
      result: "yes",
      text: "1 of 1 answer a connection from this host",
    });
    expect(silent.verdict).toBe("synced");
    expect(silent.steps.at(-1)).toEqual({
      id: "reachable",
      result: "no",
      text: "0 of 1 answer a connection from this host; 10.1.0.1:8080 silent",
    });
  });

  it("says when svc-ferry wrote the mirror last, as the API server keeps it", async () => {
    const explained = await mirrored();
    const written = (manager: string, time: string) => ({ manager, time, operation: "Update" });
    const managedFields = [
      written("svc-ferry", "2026-01-01T10:00:00Z"),
      written("svc-ferry", "2026-01-02T09:00:00Z"),
      written("kubectl-edit", "2026-01-03T10:00:00Z"),
    ];
    const { get } = explained.destination;
    explained.destination.get = async (resource, ref) => {
      const found = await get.call(explained.destination, resource, ref);
      if (resource !== SERVICES || found === undefined) return found;
      return { ...found, metadata: { ...found.metadata, managedFields } } as KubeObject;
    };

    const finding = await explained.only("shop/web");
    const [all] = await explained.explain();

    expect(finding.lastWrite).toBe("2026-01-02T09:00:00Z");
    expect(finding.steps.find(({ id }) => id === "written")?.text).toBe(
      "nothing to change since 2026-01-02T09:00:00Z",
    );
    expect(all?.lastWrite).toBeUndefined();
  });

  it("writes nothing, whatever is due", async () => {
    const explained = new ExplainBed();
    explained.bed.create(WEB, SLICE);
    explained.bed.writes();

    await explained.explain("shop/web");

    expect(explained.bed.server.audit.lines).toEqual([]);
  });

  it("names what is due when the leader has not written it yet", async () => {
    const explained = new ExplainBed();
    explained.bed.create(WEB, SLICE);

    const finding = await explained.only("shop/web");

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code: "pending" } });
    expect(finding.due[0]).toBe("create services prod/web");
    expect(finding.due).toHaveLength(3);
  });

  it("says that nobody answers, with the pods that are not ready", async () => {
    const targetRef = { kind: "Pod", name: "web-7d9" };
    const endpoint = { addresses: ["10.1.0.1"], conditions: { ready: false }, targetRef };
    const explained = new ExplainBed();
    explained.bed.create(WEB, rawSlice("shop/web-1", "web").with({ endpoints: [endpoint] }));
    await explained.bed.reconcile();

    const finding = await explained.only("shop/web");

    expect(finding).toMatchObject({
      verdict: "synced",
      endpoints: { ready: 0, total: 1, notReady: ["web-7d9"] },
    });
    expect(finding.steps.find(({ id }) => id === "endpoints")).toEqual({
      id: "endpoints",
      result: "look",
      text: "0 ready of 1, 1 slice: nobody answers; in the source not ready: web-7d9",
    });
  });

  it("tells of the last change that admission saw", async () => {
    const stamped = WEB.annotation("svc-ferry.io/change-id", "01JQ4")
      .annotation("svc-ferry.io/changed-by", "alice")
      .annotation("svc-ferry.io/changed-at", "2026-01-01T10:02:11Z");
    const explained = await mirrored({}, stamped);

    expect(await explained.only("shop/web")).toMatchObject({
      lastChange: { id: "01JQ4", by: "alice", at: "2026-01-01T10:02:11Z" },
    });
  });
});

describe("svc-ferry explain of a Service that no route takes", () => {
  it.each<[string, ServiceBuilder, string, string | undefined]>([
    [
      "for want of the label",
      service("shop/web"),
      'route "default": no label sync, and it selects sync=true',
      "kubectl --context a -n shop label --overwrite service web sync=true",
    ],
    [
      "for another spelling of its value",
      service("shop/web").label("sync", "True"),
      'route "default": label sync="True", and it selects sync=true',
      "kubectl --context a -n shop label --overwrite service web sync=true",
    ],
    [
      "for another spelling of its key",
      service("shop/web").label("example.com/Sync", "true"),
      'route "default": label example.com/Sync is not sync, and it selects sync=true',
      "kubectl --context a -n shop label --overwrite service web sync=true",
    ],
    [
      "for its namespace",
      service("cart/web").ferried(),
      'route "default": namespace cart is none of its namespaces (shop)',
      "label a Service in one of the route's namespaces, or add this one to the configuration",
    ],
  ])("says so %s", async (_, one, text, fix) => {
    const explained = new ExplainBed();
    explained.bed.create(one);

    const finding = await explained.only(`${one.namespace}/web` as ServiceKey);

    expect(finding).toMatchObject({
      verdict: "not-selected",
      reason: { code: "not-selected" },
      fix,
    });
    expect(finding.steps[0]).toEqual({ id: "selected", result: "no", text });
  });

  it("suggests a Service of a similar name, and the same name in a route's namespace", async () => {
    const explained = new ExplainBed();
    explained.bed.create(WEB);
    explained.bed.create(service("cart/webb"));

    expect(await explained.only("cart/web")).toMatchObject({
      verdict: "not-selected",
      reason: {
        message: "there is no Service cart/web in a; did you mean cart/webb or shop/web?",
      },
      fix: "svc-ferry explain cart/webb",
    });
  });

  it("says of one that is being deleted that it goes", async () => {
    const explained = await mirrored();
    const { sourceServer } = explained.bed;
    const shop = { namespace: "shop", name: "web" };
    sourceServer.patch(SERVICES, shop, { metadata: { finalizers: ["example.com/wait"] } });
    sourceServer.delete(SERVICES, shop);

    expect(await explained.only("shop/web")).toMatchObject({
      verdict: "not-selected",
      reason: { code: "not-selected", message: "it is being deleted" },
    });
  });
});

type Break = (explained: ExplainBed) => void | Promise<void>;

/** What is broken for each reason, and the step that says so. */
const BROKEN: readonly [code: string, step: string, routes: readonly Route[], Break][] = [
  [
    "is-a-mirror",
    "selected",
    [route()],
    ({ bed }) => bed.create(WEB.label("app.kubernetes.io/managed-by", "svc-ferry")),
  ],
  [
    "invalid-name",
    "mapped",
    [route()],
    ({ bed }) => bed.create(WEB.annotation("svc-ferry.io/target-name", "No.Name")),
  ],
  [
    "name-too-long",
    "mapped",
    [route()],
    ({ bed }) => bed.create(WEB.annotation("svc-ferry.io/target-name", "a".repeat(64))),
  ],
  [
    "invalid-namespace",
    "mapped",
    [route()],
    ({ bed }) => bed.create(WEB.annotation("svc-ferry.io/target-namespace", "No.Name")),
  ],
  [
    "target-not-allowed",
    "mapped",
    [route()],
    ({ bed }) => bed.create(WEB.annotation("svc-ferry.io/target-namespace", "elsewhere")),
  ],
  [
    "name-occupied",
    "name-free",
    [route()],
    ({ bed }) => {
      bed.server.create(SERVICES, plain(service("prod/web").label("app", "theirs")));
      bed.create(WEB);
    },
  ],
  [
    "name-taken",
    "name-free",
    [route().from("shop", "cart")],
    async ({ bed }) => {
      bed.create(service("cart/web").ferried());
      await bed.reconcile();
      bed.create(WEB);
    },
  ],
  [
    "held-by-other-link",
    "name-free",
    [route()],
    ({ bed }) => {
      bed.server.create(SERVICES, plain(service("prod/web").mirrorOf("x/y", "another")));
      bed.create(WEB);
    },
  ],
  [
    "no-common-ip-family",
    "written",
    [route()],
    (explained) => {
      explained.bed.create(WEB);
      const shop = { namespace: "shop", name: "web" };
      const six = {
        ...explained.bed.sourceServer.get(SERVICES, shop),
        spec: { ipFamilies: ["IPv6"] },
      };
      const { get, list } = explained.source;
      explained.source.get = async (resource, ref) =>
        ref.name === "web" ? six : get.call(explained.source, resource, ref);
      explained.source.list = async (resource, options) => {
        const page = await list.call(explained.source, resource, options);
        return resource === SERVICES ? { ...page, items: [six] } : page;
      };
    },
  ],
  ["namespace-missing", "written", [route().to("absent")], ({ bed }) => bed.create(WEB)],
  [
    "namespace-terminating",
    "written",
    [route()],
    ({ bed }) => {
      bed.create(WEB);
      bed.server.delete(NAMESPACES, { name: "prod" });
    },
  ],
  [
    "rejected-by-destination",
    "written",
    [route()],
    (explained) => {
      explained.bed.create(WEB);
      const refuse = async () => ({
        result: { kind: "invalid" as const, message: "spec.ports: no such thing" },
        warnings: [],
      });
      explained.rehearsal = { create: refuse, patch: refuse };
    },
  ],
  [
    "mirror-terminating",
    "written",
    [route()],
    async ({ bed }) => {
      bed.create(WEB);
      await bed.reconcile();
      bed.server.patch(SERVICES, REF, { metadata: { finalizers: ["example.com/wait"] } });
      bed.server.delete(SERVICES, REF);
    },
  ],
  [
    "paused",
    "written",
    [route()],
    ({ bed }) => bed.create(WEB.annotation("svc-ferry.io/paused", "true")),
  ],
  ["paused", "written", [route().with({ paused: true })], ({ bed }) => bed.create(WEB)],
  [
    "link-held-elsewhere",
    "written",
    [route()],
    (explained) => {
      explained.bed.create(WEB);
      explained.bed.server.create(LEASES, lease(explained, "a-clone"));
    },
  ],
];

describe("svc-ferry explain of a Service that is not in order", () => {
  it.each(BROKEN)("finds %s, at the step %s", async (code, step, routes, breakIt) => {
    const explained = new ExplainBed({ routes });
    await breakIt(explained);
    explained.bed.server.audit.clear();

    const finding = await explained.only("shop/web");

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code } });
    expect(finding.fix).toMatch(/\w/);
    const said = finding.steps.filter(({ result }) => result === "no");
    expect(said.map(({ id }) => id)).toEqual([step]);
    expect(explained.bed.server.audit.lines).toEqual([]);
  });

  it("finds a namespace missing that holds up all others, because the link's Lease lies there", async () => {
    const routes = [route().from("cart").to("absent"), route()];
    const explained = new ExplainBed({ routes });
    explained.bed.create(WEB);

    const finding = await explained.only("shop/web");
    explained.config = {
      ...explained.config,
      routes: [route().from("cart").to("absent").with({ createNamespace: true }), route()],
    };
    const made = await explained.only("shop/web");

    expect(finding).toMatchObject({
      target: "prod/web",
      reason: { code: "namespace-missing", message: expect.stringContaining("namespace absent") },
      fix: "kubectl --context b create namespace absent",
    });
    expect(made.reason?.code).toBe("pending");
  });

  it("takes a predecessor's mirror for one to be had, as the core would", async () => {
    const explained = new ExplainBed();
    explained.bed.server.create(
      SERVICES,
      plain(service("prod/web").label("sync", "true-external")),
    );
    explained.bed.create(WEB, SLICE);

    const finding = await explained.only("shop/web");

    expect(finding.reason).toMatchObject({ code: "pending" });
    expect(finding.due[0]).toBe("patch services prod/web");
  });

  it("counts a namespace that the route creates as there", async () => {
    const explained = new ExplainBed({
      routes: [route().to("absent").with({ createNamespace: true })],
    });
    explained.bed.create(WEB, SLICE);

    const finding = await explained.only("shop/web");

    expect(finding.reason).toMatchObject({ code: "pending" });
    expect(finding.due).toContain("create namespaces absent");
  });
});

describe("svc-ferry explain of a Service that is synced, and that somebody should look at", () => {
  const remarked = async (
    web: ServiceBuilder,
    slices = [SLICE],
    routes: readonly Route[] = [route()],
  ): Promise<readonly string[]> => {
    const explained = new ExplainBed({ routes });
    explained.bed.create(web, ...slices);
    await explained.bed.reconcile();
    const finding = await explained.only("shop/web");
    expect(finding.verdict).toBe("synced");
    return finding.remarks.map(({ code }) => code);
  };

  it("finds a type that was reduced", async () => {
    expect(await remarked(WEB.withSpec({ type: "NodePort" }))).toEqual(["type-reduced"]);
  });

  it("finds an external name that means another Service there", async () => {
    expect(await remarked(WEB.external("db.shop.svc.cluster.local"))).toEqual([
      "cluster-local-external-name",
    ]);
  });

  it("finds addresses that were left out", async () => {
    const narrow = route().with({ addressCidrs: ["10.2.0.0/16"] });

    expect(await remarked(WEB, [SLICE], [narrow])).toEqual(["address-not-allowed"]);
  });

  it("finds Endpoints that hold only a part", async () => {
    const endpoints = Array.from({ length: 1_000 }, (_, index) => ({
      addresses: [`10.2.${index >> 8}.${index & 255}`],
      conditions: { ready: true },
    }));
    const full = rawSlice("shop/web-2", "web").with({ endpoints });

    expect(await remarked(WEB, [SLICE, full])).toEqual(["endpoints-truncated"]);
  });

  it("finds slices of others under the mirror's name", async () => {
    const explained = await mirrored();
    const theirs = rawSlice("prod/theirs", "web").address("10.9.0.1");
    explained.bed.server.create(ENDPOINT_SLICES, newObject(theirs));

    const finding = await explained.only("shop/web");

    expect(finding.remarks.map(({ code }) => code)).toEqual(["foreign-endpoints"]);
    expect(finding.steps.find(({ id }) => id === "endpoints")).toMatchObject({ result: "look" });
  });
});

describe("svc-ferry explain --in", () => {
  it("takes a mirror's name", async () => {
    const explained = await mirrored();

    expect(await explained.only("prod/web", "b")).toMatchObject({
      service: "shop/web",
      target: "prod/web",
      verdict: "synced",
    });
  });

  it.each<[string, Readonly<Record<string, string | null>>]>([
    ["route-gone", { "svc-ferry.io/route": "old@0000" }],
    ["former-cluster", { "svc-ferry.io/source-cluster": "another" }],
    ["deletion-not-proven", { "svc-ferry.io/source": null }],
  ])("finds %s for a mirror that nobody wants", async (code, annotations) => {
    const explained = await mirrored();
    explained.bed.server.patch(SERVICES, REF, { metadata: { annotations } });
    const shop = { namespace: "shop", name: "web" };
    explained.bed.sourceServer.patch(SERVICES, shop, { metadata: { labels: { sync: null } } });

    const finding = await explained.only("prod/web", "b");

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code }, target: "prod/web" });
  });

  it("says of one that goes that it goes", async () => {
    const explained = await mirrored();
    explained.bed.sourceServer.delete(SERVICES, { namespace: "shop", name: "web" });

    expect(await explained.only("prod/web", "b")).toMatchObject({
      reason: { code: "pending" },
      due: [
        "delete services prod/web",
        "delete endpointslices prod/web-56ad0cbb8d4a5dbbfd1e",
        "delete endpoints prod/web",
      ].map((text) => expect.stringMatching(text.replace(/-[0-9a-f]{20}$/, "-[0-9a-f]{20}"))),
    });
  });

  it("tells whose another Service is, and when there is none", async () => {
    const explained = new ExplainBed();
    explained.bed.server.create(SERVICES, plain(service("prod/theirs")));

    expect(await explained.only("prod/theirs", "b")).toMatchObject({
      verdict: "not-selected",
      reason: { code: "name-occupied" },
    });
    expect(await explained.only("prod/nothing", "b")).toMatchObject({
      verdict: "not-selected",
      reason: { message: expect.stringContaining("no Service prod/nothing in b") },
    });
  });
});

describe("svc-ferry explain --all", () => {
  it("finds everything: what is synced, refused, due, and what is left over", async () => {
    const explained = await mirrored();
    const { bed } = explained;
    bed.create(service("shop/old").ferried());
    await bed.reconcile("prod/old");
    bed.sourceServer.delete(SERVICES, { namespace: "shop", name: "old" });
    bed.create(service("shop/bad").ferried().annotation("svc-ferry.io/target-name", "No.Name"));
    bed.create(service("shop/new").ferried());

    const findings = await explained.explain();

    const lines = findings.map(({ service: name, verdict, reason }) => [
      name,
      verdict,
      reason?.code,
    ]);
    expect(lines).toEqual([
      ["shop/bad", "not-synced", "invalid-name"],
      ["shop/new", "not-synced", "pending"],
      ["shop/web", "synced", undefined],
      ["shop/old", "not-synced", "pending"],
    ]);
  });
});

describe("svc-ferry explain without an answer", () => {
  const down = (): never => {
    throw new RetryableError("FERRY-K001", "connect ECONNREFUSED");
  };

  it("says of a destination that it could not be asked, and goes on", async () => {
    const explained = await mirrored();
    explained.destination.before = down;

    const finding = await explained.only("shop/web");

    expect(finding).toMatchObject({ verdict: "unknown", reason: { code: "FERRY-K001" } });
    expect(finding.steps.map(({ result }) => result)).toEqual([
      "yes",
      "yes",
      "unknown",
      "not-asked",
      "not-asked",
      "not-asked",
    ]);
  });

  it("says which right is missing to read the destination", async () => {
    const explained = await mirrored();
    explained.destination.before = (request) => {
      if (request.startsWith("list endpoints ")) {
        throw new RetryableError("FERRY-K006", "cannot list resource endpoints");
      }
    };

    expect(await explained.only("shop/web")).toMatchObject({
      verdict: "unknown",
      reason: { code: "FERRY-K006", message: "cannot list resource endpoints" },
    });
  });

  it("fails, and closes all, when the source does not answer", async () => {
    const explained = await mirrored();
    explained.source.before = down;

    await expect(explained.explain("shop/web")).rejects.toThrow("ECONNREFUSED");
    expect(explained.closed).toBe(1);
  });

  it("fails when the source may not be listed", async () => {
    const explained = await mirrored();
    explained.source.before = (request) => {
      if (request.startsWith("list services")) throw new RetryableError("FERRY-K006", "no");
    };

    await expect(explained.explain("shop/web")).rejects.toThrow("no");
    expect(explained.closed).toBe(2);
  });

  it("reports a write that the destination's rules refuse as the attempt would", async () => {
    const explained = new ExplainBed();
    explained.bed.create(WEB, SLICE);
    const refuse = async (): Promise<never> => {
      throw new RetryableError("FERRY-K006", "exceeded quota");
    };
    explained.rehearsal = { create: refuse, patch: refuse };

    expect(await explained.only("shop/web")).toMatchObject({
      verdict: "not-synced",
      reason: { code: "FERRY-K006", message: "exceeded quota" },
    });
  });
});
