/** `--on-drift=report` for what goes through the destination's API server, which alone can tell what means the same. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { decodeRecord } from "../../../sidecar/ledger/record.js";
import { Cluster } from "../../harness/cluster.js";
import type { Stored } from "../../harness/manifest.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { waitFor } from "../../harness/wait-for.js";

const NS = "mirrored-reported";
const PATH = `services/specs/${NS}/web`;
const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { reported-test: "yes" } }] }
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Service }], namespaceSelectors: [{ matchLabels: { reported-test: "yes" } }] }
`;

const SIGNAL = new AbortController().signal;

const { source: from, destination: to } = inject("controlPlanes");
const source = new Cluster(from);
const destination = new Cluster(to);
const link = new MirrorLink({
  link: "reported",
  source: from,
  destination: to,
  rules: RULES,
  api: to,
  policy: { onDrift: "report" },
});

const there = async (): Promise<Stored | undefined> => destination.get("Service", NS, "web");

interface Spec {
  readonly type?: string;
  readonly selector?: Readonly<Record<string, string>>;
}

async function spec(): Promise<Spec> {
  return ((await there())?.["spec"] ?? {}) as Spec;
}

beforeAll(async () => {
  await source.createNamespace(NS, { "reported-test": "yes" });
  await source.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: NS },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await link.start();
  await waitFor(async () => (await link.owned()).includes(PATH), { what: "the record" });
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.close(), destination.close()]);
});

/** The mirror has looked at the object as it is now: its record says so. */
async function untilLookedAt(): Promise<void> {
  const key = `/svc-ferry/reported/own/${PATH}`;
  const isRecorded = async (): Promise<boolean> => {
    const { kvs } = await link.etcds.destination.range({ key }, { signal: SIGNAL });
    const left = kvs[0] && decodeRecord(kvs[0].value).destinationRevision;
    return String(left) === (await there())?.metadata.resourceVersion;
  };
  await waitFor(isRecorded, { what: "the mirror's look" });
}

describe("Services whose drift is only reported", () => {
  it("are as their controllers leave them, and follow their source then too", async () => {
    const before = await there();
    const ingress = [{ ip: "192.0.2.7" }];
    const status = `/api/v1/namespaces/${NS}/services/web/status`;
    await source.patch("Service", NS, "web", { spec: { type: "LoadBalancer" } });
    await waitFor(async () => (await spec()).type === "LoadBalancer", { what: "its type" });
    const written = { ...(await there()), status: { loadBalancer: { ingress } } };
    expect((await destination.request("PUT", status, written)).status).toBe(200);

    await source.patch("Service", NS, "web", { metadata: { labels: { tier: "front" } } });

    await waitFor(async () => (await there())?.metadata.labels?.["tier"] === "front", {
      what: "the label",
    });
    const after = await there();
    expect(after).toMatchObject({ status: { loadBalancer: { ingress } } });
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    await untilLookedAt();
    // The label can be read before the mirror has heard that it was written.
    await waitFor(async () => !(PATH in (await link.debts())), { what: "the debt's end" });
    expect(await link.debts()).toEqual({});
  });

  it("keep what somebody has changed, are owed as drifted, and go on when it is taken back", async () => {
    const app = (name: string) => ({ spec: { selector: { app: name } } });
    await destination.patch("Service", NS, "web", app("mine"));
    await waitFor(async () => (await link.debts())[PATH] === "drifted", { what: "the debt" });
    const drifted = (await spec()).selector;

    await destination.patch("Service", NS, "web", app("web"));

    await waitFor(async () => !(PATH in (await link.debts())), { what: "the debt's end" });
    await untilLookedAt();
    expect(drifted).toEqual({ app: "mine" });
    expect(link.status.drift).toMatchObject({ reported: 1, repaired: 0 });
    await source.patch("Service", NS, "web", app("other"));
    await waitFor(async () => (await spec()).selector?.["app"] === "other", {
      what: "the source's next change",
    });
  });
});
