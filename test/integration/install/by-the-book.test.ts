/**
 * docs/install.md from an empty pair of clusters to an empty pair of clusters, by the very commands that stand there. What is
 * on loopback has no kubelet, scheduler or network for Services: `Kubelet` does for the pods what those do.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DoctorReport } from "../../../src/ports/doctor-report.js";
import { textOf } from "../../fixtures/source-text.js";
import { allObjects } from "../../harness/all-objects.js";
import { failedCalls } from "../../harness/failed-calls.js";
import { ClusterPair } from "../../harness/cluster-pair.js";
import { service } from "../../harness/manifests.js";
import { TwoLoads } from "../../harness/two-loads.js";
import { waitFor } from "../../harness/wait-for.js";
import { locateHelm } from "../../helm/locate-helm.js";

/** Somebody who changes one line. */
const EDITOR = "EDITOR='sed -i s/sessionAffinity:.*/sessionAffinity:\\ ClientIP/'";

/** How often all replicas are replaced. */
const ROLLOUTS = process.env["SVC_FERRY_TEST_FULL"] === "1" ? 10 : 1;

/** Of admissions and of changes: what comes in five seconds where the machine keeps up with the rates. */
const AT_LEAST = 250;

let pair: ClusterPair;
/** Of an empty pair. */
let before: Readonly<Record<"source" | "destination", readonly string[]>>;

beforeAll(async () => {
  pair = await ClusterPair.start({ helm: await locateHelm() });
  before = await objects();
});
afterAll(async () => pair.close());

async function objects(): Promise<typeof before> {
  const [source, destination] = await Promise.all([allObjects(pair.from), allObjects(pair.to)]);
  return { source, destination };
}

describe("docs/install.md, in five steps", () => {
  it("installs the destination and the source, whose pods wait for the kubeconfig", async () => {
    const { shell, kubelet } = pair;

    await shell.type(
      "svc-ferry doctor --pre --skip=src-rbac,dst-rbac,dst-ns --src-context SOURCE --dst-context DESTINATION",
    );
    await shell.type("kubectl --context DESTINATION create namespace prod-test");
    await shell.type("kubectl --context DESTINATION apply -k manifests/destination");
    await shell.type("kubectl --context SOURCE apply -k manifests/source");

    await waitFor(() => kubelet.waiting.size === 3, { what: "three pods that wait" });
    expect([...kubelet.waiting.values()][0]).toContain("svc-ferry-destination is not there");
  });

  it("brings up three replicas with the kubeconfig that svc-ferry kubeconfig makes", async () => {
    const { shell, kubelet } = pair;

    await shell.type(
      "svc-ferry kubeconfig --context DESTINATION -o secret | kubectl --context SOURCE apply -f -",
    );
    const rollout = await shell.type(
      "kubectl --context SOURCE -n k8s-sync rollout status deployment/svc-ferry",
    );

    expect(rollout).toContain('deployment "svc-ferry" successfully rolled out');
    await kubelet.untilReady(3);
  });

  it("mirrors the sample, and any Service that is labelled", async () => {
    const { shell, src, dst } = pair;
    await src.apply(service("default", "web", { labels: {} }));

    await shell.type("kubectl --context SOURCE -n default apply -f manifests/samples/synced.yaml");
    await shell.type("kubectl --context SOURCE -n default label service web sync=true");

    await dst.untilService("sample-web");
    await dst.untilService("web");
    const said = await shell.type(
      "kubectl --context DESTINATION -n prod-test get service sample-web",
    );
    expect(said).toContain("ClusterIP");
  });

  it("satisfies svc-ferry doctor", async () => {
    const { shell } = pair;

    await shell.type("cd && svc-ferry kubeconfig --context DESTINATION > destination.yaml");
    const { out } = await shell.run(
      "cd && KUBECONFIG=~/.kube/config:destination.yaml svc-ferry doctor --webhook=on --create-namespace=off --src-context SOURCE --dst-context destination --destination-account self -o json",
    );

    const { checks } = JSON.parse(out) as DoctorReport;
    const told = checks.filter(({ result }) => result === "fail" || result === "warn");
    // The person's own token, which never ends here.
    expect(told.map(({ id, message }) => `${id} ${message}`)).toEqual([
      expect.stringMatching(/^src-cred .* by a token that does not end/),
    ]);
  });
});

describe("what the other documents tell people to type", () => {
  it("tells how everything stands", async () => {
    const { shell, kubelet } = pair;

    const pods = await shell.type("kubectl -n k8s-sync get pods -o wide");
    const lease = await shell.type("kubectl -n k8s-sync get lease k8s-svc-sync-leader");
    const leader = kubelet.pods.find(({ name }) => lease.includes(name));
    const port = leader?.port("admin server") ?? 0;
    const explained = await shell.run(
      "cd && KUBECONFIG=~/.kube/config:destination.yaml svc-ferry explain default/web",
    );
    const certs = await shell.run("svc-ferry certs status");
    const status = await shell.run(`svc-ferry status --status-url http://127.0.0.1:${port}/status`);

    expect(pods.match(/1\/1 +Running/g)).toHaveLength(3);
    expect(leader).toBeDefined();
    expect(explained).toMatchObject({ code: 0, err: "" });
    expect(certs.out).toContain("svc-ferry-webhook-tls");
    expect(status.err).toBe("");
  });

  it("takes a lasting token, and a renewed one again", async () => {
    const { shell, to } = pair;
    await to.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "svc-ferry-lasting",
        namespace: "svc-ferry",
        annotations: { "kubernetes.io/service-account.name": "svc-ferry" },
      },
      type: "kubernetes.io/service-account-token",
    });
    await waitFor(
      async () => (await to.get("Secret", "svc-ferry", "svc-ferry-lasting"))?.["data"],
      {
        what: "the token to be there",
      },
    );

    await shell.type(
      "svc-ferry kubeconfig --context DESTINATION --secret svc-ferry-lasting -o secret | kubectl --context SOURCE apply -f -",
    );
    await shell.type(
      "svc-ferry kubeconfig --context DESTINATION -o secret | kubectl --context SOURCE apply -f -",
    );
  });

  it("unlocks a mirror for the one who may and means it, and locks it again", async () => {
    const { shell, dst, to } = pair;
    await shell.type("kubectl config use-context DESTINATION");

    await shell.type(`cd && cat > unlock.yaml <<'END'\n${yamlBelow("### Unlock a mirror")}END`);
    await shell.type("cd && kubectl apply -f unlock.yaml");
    await shell.type(
      "kubectl -n prod-test create rolebinding ann-unlocks --clusterrole=svc-ferry-unlock --user=ann",
    );
    const locked = await shell.run("kubectl -n prod-test label service web mine=yes");
    await shell.type("kubectl -n prod-test annotate service web svc-ferry.io/paused=true");
    await shell.type(`${EDITOR} kubectl -n prod-test edit service web`);
    const edited = await dst.service("web");
    await shell.type("kubectl -n prod-test annotate service web svc-ferry.io/paused-");
    await shell.type("kubectl config use-context SOURCE");

    expect(locked).toMatchObject({ code: 1 });
    expect(locked.err).toContain("this object mirrors default/web of another cluster");
    expect(edited["spec"]).toMatchObject({ sessionAffinity: "ClientIP" });
    await dst.untilService("web", ({ spec }) => JSON.stringify(spec).includes('"None"'));
    await to.remove("ClusterRole", undefined, "svc-ferry-unlock");
  });
});

describe("a rolling restart of all replicas under 50 admissions and 50 changes a second", () => {
  it("fails no admission and loses no change", async ({ annotate }) => {
    const { shell, kubelet, src, dst, source } = pair;
    const old = kubelet.pods.map(({ name }) => name);
    const failedBefore = failedCalls(source).length;
    const loads = new TwoLoads(src, dst);
    await loads.start();

    for (let left = ROLLOUTS; left > 0; left -= 1) {
      await shell.type("kubectl --context SOURCE -n k8s-sync rollout restart deployment/svc-ferry");
      await shell.type("kubectl --context SOURCE -n k8s-sync rollout status deployment/svc-ferry");
    }
    const replaced = await kubelet.untilReady(3);
    await loads.untilSent(AT_LEAST);
    const result = await loads.stop();
    await annotate(`rolling restart of all replicas: ${result.rates}`, "measured");

    expect(replaced.filter(({ name }) => old.includes(name))).toEqual([]);
    expect(failedCalls(source).slice(failedBefore)).toEqual([]);
    expect(result).toMatchObject({ refused: [], counts: { failed: 0 } });
    // Mutating and validating.
    expect(result.counts.answered).toBeGreaterThanOrEqual(2 * result.admissions);
    expect(Math.min(result.admissions, result.changes)).toBeGreaterThanOrEqual(AT_LEAST);
    expect(await loads.differences()).toEqual([]);
  }, 600_000);
});

describe("docs/install.md, uninstall", () => {
  it("takes everything of ours away and leaves the mirrors", async () => {
    const { shell, src, dst, to } = pair;
    await shell.type("kubectl -n default apply -f manifests/samples/synced.yaml");
    await src.apply(service("default", "kept"));
    await dst.untilService("kept");
    await removeServices();
    const mirrors = await to.list("Service", "prod-test", "svc-ferry.io/link");

    await shell.type(
      "kubectl --context SOURCE delete mutatingwebhookconfiguration,validatingwebhookconfiguration svc-ferry",
    );
    await shell.type("kubectl --context SOURCE delete --ignore-not-found -k manifests/source");
    const offer = await shell.type("svc-ferry leave --context DESTINATION --to k8s-svc-sync");
    await shell.type(
      "kubectl --context DESTINATION delete --ignore-not-found -k manifests/destination",
    );

    await src.remove("Service", "kept");
    await untilEmpty("source");
    expect(offer).toContain("kept");
    expect(mirrors.map(({ metadata }) => metadata.name)).toEqual(["kept"]);
    expect(await to.get("Service", "prod-test", "kept")).toMatchObject({
      metadata: { uid: mirrors[0]?.metadata.uid },
    });
  });

  it("removes the mirrors when that is asked for: then nothing is left", async () => {
    const { shell, to } = pair;
    // API servers go by a policy for a moment after it was deleted.
    const path = "/api/v1/namespaces/prod-test/services/kept?dryRun=All";
    await waitFor(async () => (await to.request("DELETE", path)).status === 200, {
      what: "the lock to be off",
    });

    const said = await shell.type(
      "kubectl --context DESTINATION get services -A -l svc-ferry.io/link -L svc-ferry.io/link",
    );
    const link = /(\S+)\s*$/.exec(said)?.[1] ?? "";
    await shell.type(
      `svc-ferry leave --context DESTINATION --remove --link LINK --yes`.replace("LINK", link),
    );
    await to.remove("Namespace", undefined, "prod-test");

    await untilEmpty("destination");
  });
});

describe("docs/install.md, by Helm", () => {
  it("installs both sides, and helm test finds a replica behind the webhook's Service", async () => {
    const { shell, kubelet } = pair;

    await shell.type("kubectl --context DESTINATION create namespace prod-test");
    await shell.type(
      "helm --kube-context DESTINATION install svc-ferry charts/svc-ferry --namespace svc-ferry --create-namespace --set cluster=destination",
    );
    await shell.type(
      "helm --kube-context SOURCE install svc-ferry charts/svc-ferry --namespace k8s-sync --create-namespace",
    );
    await shell.type(
      "kubectl --context SOURCE label namespace k8s-sync pod-security.kubernetes.io/enforce=restricted",
    );
    await shell.type("cd && svc-ferry kubeconfig --context DESTINATION > kubeconfig");
    await shell.type(
      "cd && kubectl -n k8s-sync create secret generic svc-ferry-destination --from-file=kubeconfig",
    );
    await kubelet.untilReady(3);
    const said = await shell.type("helm --kube-context SOURCE test svc-ferry --namespace k8s-sync");

    expect(said).toMatch(/TEST SUITE:\s+svc-ferry-test\n.*\n.*\nPhase:\s+Succeeded/);
  });

  it("mirrors, and leaves nothing when it is uninstalled", async () => {
    const { shell, src, dst } = pair;
    await src.apply(service("default", "web"));
    await dst.untilService("web");
    await removeServices();
    await dst.untilGone("Service", "web");

    await shell.type(
      "kubectl --context SOURCE delete mutatingwebhookconfiguration,validatingwebhookconfiguration svc-ferry",
    );
    await shell.type("helm --kube-context SOURCE uninstall svc-ferry --namespace k8s-sync");
    await shell.type("helm --kube-context DESTINATION uninstall svc-ferry --namespace svc-ferry");
    await shell.type("kubectl --context SOURCE delete namespace k8s-sync");
    await shell.type("kubectl --context DESTINATION delete namespace svc-ferry");
    await pair.to.remove("Namespace", undefined, "prod-test");

    await untilEmpty("source");
    await untilEmpty("destination");
  });
});

/** What this test has made in the source goes; with it the mirrors but one. */
async function removeServices(): Promise<void> {
  const { src, dst, from } = pair;
  const own = (await from.list("Service", "default")).filter(
    ({ metadata }) => metadata.labels?.["sync"] === "true" && metadata.name !== "kept",
  );
  for (const { metadata } of own) {
    await src.remove("Service", metadata.name);
    for (const one of await src.slices(metadata.name)) {
      await src.remove("EndpointSlice", one.metadata.name);
    }
  }
  for (const { metadata } of own) await dst.untilGone("Service", metadata.name);
}

/** Namespaces and what controllers make of them take a moment to go. */
async function untilEmpty(side: "source" | "destination"): Promise<void> {
  const cluster = side === "source" ? pair.from : pair.to;
  await waitFor(
    async () => {
      const now = await allObjects(cluster);
      const left = now.filter((object) => !before[side].includes(object));
      if (left.length > 0) throw new Error(left.join(", "));
      return true;
    },
    { what: `nothing to be left in the ${side}`, timeoutMs: 40_000 },
  );
}

/** The first YAML below a heading of docs/security.md. */
function yamlBelow(heading: string): string {
  const [, text = ""] = textOf("docs/security.md").split(heading);
  return /```yaml\n(.*?)```/s.exec(text)?.[1] ?? "";
}
