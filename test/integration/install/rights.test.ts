import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { spelled } from "../../harness/access-log.js";
import { AheadClock } from "../../harness/ahead-clock.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { type InstalledBed, installBed } from "../../harness/installed-bed.js";
import { service, slice } from "../../harness/manifests.js";
import { portsOf } from "../../harness/namespace-view.js";
import { render, textOfObjects } from "../../harness/overlay.js";
import { waitFor } from "../../harness/wait-for.js";
import { granted, installedObjects } from "../../fixtures/installed-objects.js";

let bed: InstalledBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await installBed({ policy: false, keepLogsIn: inject("controlPlanes").keptLogs });
  // Six and a half minutes on, a token of ten minutes is past half of its life and a tenth.
  ferry = await bed.run("ferry", new AheadClock(390_000));
  await story();
});
afterAll(async () => bed.close());

/** What happens to Services in a year, in a few seconds: each right is there for one of these lines. */
async function story(): Promise<void> {
  const { src, dst } = bed;
  const { namespace } = src;
  await src.apply(
    slice(namespace, "web", ["10.1.0.1"]),
    slice(namespace, "web", ["10.1.0.2"], { name: "web-more" }),
    service(namespace, "web"),
  );
  await dst.untilAddresses("web", ["10.1.0.1", "10.1.0.2"]);
  await endpointsChange();
  await mirrorIsEdited();
  await isPausedTwice();
  // A name of the DNS has no endpoints: those that it had go.
  await src.patch("Service", "web", { spec: { type: "ExternalName", externalName: "a.example" } });
  await dst.untilGone("Endpoints", "web");
  // Unlabelled, then deleted: each is asked for before its mirror goes.
  await src.patch("Service", "web", { metadata: { labels: { sync: null } } });
  await dst.untilGone("Service", "web");
  await src.apply(service(namespace, "short"));
  await dst.untilService("short");
  await src.remove("Service", "short");
  await dst.untilGone("Service", "short");
  await tokenIsRenewed();
  // Both Leases are given back.
  await ferry.stop();
}

async function endpointsChange(): Promise<void> {
  const { src, dst } = bed;
  await src.apply(slice(src.namespace, "web", ["10.1.0.3"]));
  await dst.untilAddresses("web", ["10.1.0.2", "10.1.0.3"]);
  await src.remove("EndpointSlice", "web-more");
  await dst.untilAddresses("web", ["10.1.0.3"]);
  await dst.untilEndpoints("web", ["10.1.0.3"]);
}

/** Edited, robbed of the label by which it is seen, deleted: it is as it was. */
async function mirrorIsEdited(): Promise<void> {
  const { src, dst } = bed;
  await dst.patch("Service", "web", { spec: { ports: [{ port: 999 }] } });
  await dst.untilService("web", (mirror) => portsOf(mirror)[0] === 80);
  const unlabelled = { metadata: { labels: { "svc-ferry.io/link": null } } };
  const [mirrored] = await dst.slices("web");
  await dst.patch("EndpointSlice", mirrored?.metadata.name ?? "", unlabelled);
  await dst.patch("Endpoints", "web", unlabelled);
  const isLinked = (labels: Readonly<Record<string, string>> = {}): boolean =>
    labels["svc-ferry.io/link"] !== undefined;
  await waitFor(
    async () => {
      const endpoints = await dst.get("Endpoints", "web");
      const [one] = await dst.slices("web");
      return isLinked(endpoints?.metadata.labels) && isLinked(one?.metadata.labels);
    },
    { what: "what was robbed of its label to be ours again" },
  );
  await dst.remove("Service", "web");
  await dst.untilAddresses("web", ["10.1.0.3"]);
  await src.patch("Service", "web", { spec: { ports: [{ port: 81 }] } });
  await dst.untilService("web", (mirror) => portsOf(mirror)[0] === 81);
}

/** The kubeconfig is looked at every 10 s. */
async function tokenIsRenewed(): Promise<void> {
  const first = bed.firstKubeconfig;
  await waitFor(async () => (await bed.storedKubeconfig()) !== first, {
    what: "the renewed token to be in the kubeconfig's Secret",
    timeoutMs: 30_000,
  });
}

/** The same Event a second time is not written anew, but counted up. */
async function isPausedTwice(): Promise<void> {
  const { src } = bed;
  const pause = async (paused: string | null): Promise<void> => {
    const annotations = { "svc-ferry.io/paused": paused };
    await src.patch("Service", "web", { metadata: { annotations } });
  };
  const pausedTimes = async (): Promise<number> => {
    const events = (await bed.from.list(
      "Event",
      src.namespace,
    )) as unknown as readonly CountedEvent[];
    return events.find(({ reason }) => reason === "Paused")?.count ?? 0;
  };
  for (const times of [1, 2]) {
    await pause("true");
    await waitFor(async () => (await pausedTimes()) === times, { what: `${times} Paused` });
    await pause(null);
    await ferry.untilState("default/web", "synced");
  }
}

interface CountedEvent {
  readonly reason: string;
  readonly count: number;
}

describe("the roles that are installed", () => {
  it("let svc-ferry do everything that it tries", () => {
    const refused = [...bed.access.source.all(), ...bed.access.destination.all()].filter(
      ({ status }) => status === 403,
    );

    expect(refused).toEqual([]);
  });

  it.each(["source", "destination"] as const)(
    "grant nothing in the %s that is not used",
    (side) => {
      const used = new Set(bed.access[side].all().map(spelled));

      const unused = granted(installedObjects(`manifests/${side}`))
        .map(spelled)
        .filter((right) => !used.has(right));

      expect(used.size).toBeGreaterThan(5);
      expect([...new Set(unused)]).toEqual([]);
    },
  );
});

describe("uninstalling", () => {
  it.each(["source", "destination"] as const)("leaves nothing of ours in the %s", async (side) => {
    const controlPlane = bed[side];
    const webhooks = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
    await controlPlane.kubectl(["delete", "--ignore-not-found", webhooks, "svc-ferry"]);

    const objects = textOfObjects(await render(controlPlane, `manifests/${side}`));
    await controlPlane.kubectl(["delete", "--ignore-not-found", "-f", "-"], objects);

    const left = await controlPlane.kubectl([
      "get",
      KINDS,
      "--all-namespaces",
      "--selector=app.kubernetes.io/name=svc-ferry",
      "--output=name",
    ]);
    expect(left).toBe("");
    const own = { source: "k8s-sync", destination: "svc-ferry" };
    expect(
      await bed[side === "source" ? "from" : "to"].get("Namespace", undefined, own[side]),
    ).toBe(undefined);
  });
});

const KINDS = [
  "clusterroles,clusterrolebindings,roles,rolebindings",
  "mutatingwebhookconfigurations,validatingwebhookconfigurations",
  "validatingadmissionpolicies,validatingadmissionpolicybindings",
  "namespaces,services,secrets,deployments,pods",
].join(",");
