import { beforeEach, describe, expect, it } from "vitest";
import { foreignWebhookCheck, webhookChecks } from "../../../../src/doctor/webhook-checks.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import { exampleLabels } from "../../../../src/doctor/webhook-shape.js";
import type { Route } from "../../../../src/domain/route.js";
import type { CertificateProblem } from "../../../../src/ports/certificates-report.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from "../../../../src/ports/kube-resources.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { Inspected, outcomeOf } from "../../../fixtures/inspected.js";
import { route, selector } from "../../../fixtures/route.js";
import { webhookConfigurations } from "../../../harness/webhook-configurations.js";

let cluster: Inspected;
let problems: readonly CertificateProblem[];

beforeEach(() => {
  cluster = new Inspected("a");
  problems = [];
});

function outcome(id: string, routes: readonly Route[] = [route()]): Promise<Outcome> {
  const parts = {
    source: cluster.subject(),
    routes,
    configuration: "svc-ferry",
    ownNamespace: "k8s-sync",
    clock: cluster.clock,
    random: new SeededRandom(1),
    certificateProblems: async () => problems,
  };
  return outcomeOf(webhookChecks(parts), id);
}

type Entry = Readonly<Record<string, unknown>>;

/** As the manifests have them, changed. */
function install(change: (entry: Entry) => Entry | undefined = (entry) => entry): void {
  const [mutating, validating] = webhookConfigurations({
    name: "svc-ferry",
    failurePolicy: "Ignore",
    asked: [{ namespace: "shop", port: 1 }],
  });
  const changed = (object: unknown): KubeObject => {
    const configuration = object as KubeObject & { readonly webhooks: readonly Entry[] };
    return {
      ...configuration,
      webhooks: configuration.webhooks.flatMap((entry) => change(entry) ?? []),
    } as KubeObject;
  };
  cluster.memory.create(MUTATING_WEBHOOKS, changed(mutating));
  cluster.memory.create(VALIDATING_WEBHOOKS, changed(validating));
}

describe("wh-config", () => {
  it("is right as the manifests have it", async () => {
    install();

    expect(await outcome("wh-config")).toMatchObject({ result: "ok" });
  });

  it("is right when a selector is written otherwise", async () => {
    install((entry) => ({
      ...entry,
      objectSelector: { matchExpressions: [{ key: "sync", operator: "In", values: ["true"] }] },
    }));

    expect(await outcome("wh-config")).toMatchObject({ result: "ok" });
  });

  it("names both configurations when they are missing", async () => {
    expect((await outcome("wh-config")).message).toBe(
      "there is no MutatingWebhookConfiguration svc-ferry; there is no ValidatingWebhookConfiguration svc-ferry",
    );
  });

  it.each<[string, (entry: Entry) => Entry | undefined, string]>([
    [
      "without the entry for removals",
      (entry) => (entry["name"] === "observe.svc-ferry.io" ? undefined : entry),
      "no observe entry asks about DELETE of sync=true",
    ],
    [
      "with another selector",
      (entry) => ({ ...entry, objectSelector: { matchLabels: { sync: "yes" } } }),
      "no mutate entry asks about CREATE and UPDATE of sync=true",
    ],
    [
      "that asks about its own namespace",
      ({ namespaceSelector: _all, ...entry }) => entry,
      "mutate.svc-ferry.io asks about k8s-sync too, where svc-ferry itself lives",
    ],
    [
      "that fails closed where it must not",
      (entry) => ({ ...entry, failurePolicy: "Fail" }),
      "observe.svc-ferry.io has failurePolicy Fail: without svc-ferry nobody could work",
    ],
  ])("fails for one %s", async (_, change, said) => {
    install(change);

    const found = await outcome("wh-config");

    expect(found.result).toBe("fail");
    expect(found.message.split("; ")).toContain(said);
  });

  it("wants a set of entries for each selector", async () => {
    install();

    const found = await outcome("wh-config", [route(), route("other").selecting("tier in (a,b)")]);

    expect(found.message).toContain(
      "no validate entry asks about CREATE and UPDATE of tier in (a,b)",
    );
  });

  it("lets who checks fail closed, which is a choice", async () => {
    install((entry) =>
      entry["name"] === "validate.svc-ferry.io" ? { ...entry, failurePolicy: "Fail" } : entry,
    );

    expect((await outcome("wh-config")).result).toBe("ok");
  });
});

describe("wh-ca", () => {
  it("is what `certs status` finds", async () => {
    const right = await outcome("wh-ca");
    problems = [
      { problem: "the CA has ended", fix: "rotate" },
      { problem: "more", fix: "" },
    ];

    expect(right.result).toBe("ok");
    expect(await outcome("wh-ca")).toEqual({
      result: "fail",
      code: undefined,
      message: "the CA has ended; and 1 more",
      remedy: { text: "rotate", command: "svc-ferry certs status" },
    });
  });
});

describe("wh-path", () => {
  const nonceOf = ({ metadata }: KubeObject): string =>
    metadata.annotations?.["svc-ferry.io/probe"] ?? "";

  it("is proved by a warning that repeats the nonce, of a Service that a route would take", async () => {
    const seen: KubeObject[] = [];
    cluster.rehearse = async (object) => {
      seen.push(object);
      const warnings = ["other", `svc-ferry probe ${nonceOf(object)} answered by pod-1 1.2.3`];
      return { result: { kind: "done", object }, warnings };
    };

    expect(await outcome("wh-path")).toEqual({
      result: "ok",
      message: "answered by pod-1 1.2.3 in 0 ms",
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.metadata).toMatchObject({ namespace: "shop", labels: { sync: "true" } });
    expect(nonceOf(seen[0] as KubeObject)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("fails without it, although nothing was refused, and with another's", async () => {
    const silent = await outcome("wh-path");
    const warnings = ["svc-ferry probe 0000000000000000 answered by pod-1 1.2.3"];
    cluster.rehearse = async (object) => ({ result: { kind: "done", object }, warnings });

    expect(silent).toMatchObject({ result: "fail" });
    expect(await outcome("wh-path")).toMatchObject({ result: "fail" });
  });

  it("fails with what the server says of a webhook that it must reach", async () => {
    cluster.rehearse = async () => {
      throw new RetryableError("FERRY-K004", "failed calling webhook");
    };

    expect((await outcome("wh-path")).message).toContain(": failed calling webhook");
  });

  it("is skipped for whoever may not create a Service there", async () => {
    cluster.rehearse = async () => {
      throw new RetryableError("FERRY-K006", "no");
    };

    expect((await outcome("wh-path")).result).toBe("skip");
  });
});

describe("exampleLabels", () => {
  it.each([
    ["a=b", { a: "b" }],
    ["a in (c,b),d", { a: "b", d: "" }],
    ["a=b,c!=d,!e", { a: "b" }],
  ])("satisfies %s", (text, labels) => {
    expect(exampleLabels(selector(text))).toEqual(labels);
  });
});

describe("wh-other", () => {
  const rules = [{ apiGroups: ["*"], resources: ["*"], operations: ["CREATE"] }];

  it("names webhooks of others that fail closed on Services", async () => {
    const create = (name: string, entry: Entry): void =>
      void cluster.memory.create(VALIDATING_WEBHOOKS, {
        metadata: { name },
        webhooks: [{ name: `${name}.example.com`, rules, ...entry }],
      } as KubeObject);
    create("closed", {});
    create("open", { failurePolicy: "Ignore" });
    create("pods", { rules: [{ apiGroups: [""], resources: ["pods"] }] });
    create("ours", { name: "validate.svc-ferry.io", failurePolicy: "Fail" });

    const found = await foreignWebhookCheck(cluster.subject()).run(new AbortController().signal);

    expect(found.result).toBe("warn");
    expect(found.message).toMatch(/: closed$/);
  });

  it("has nothing to say without them", async () => {
    const found = await foreignWebhookCheck(cluster.subject()).run(new AbortController().signal);

    expect(found.result).toBe("ok");
  });
});
