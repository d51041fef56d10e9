import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { authority } from "../../certs/authority.js";
import { CaInjector } from "../../certs/ca-injector.js";
import { Observed } from "../../certs/observed.js";
import { Reloader } from "../../certs/reloader.js";
import { Rotator } from "../../certs/rotator.js";
import { TrustCheck } from "../../certs/trust-check.js";
import { ReflectedObjects } from "../../src/reflected-objects.js";
import { openCluster, type OpenCluster } from "../../src/kube/open-cluster.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { freePort } from "../controlplane/free-port.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { AnsweringWebhook } from "../fixtures/answering-webhook.js";
import { RecordedMetrics } from "../fixtures/recorders.js";
import { Cluster } from "../harness/cluster.js";
import { waitFor } from "../harness/wait-for.js";

/** A leaf every two seconds, a CA every six. */
const SETTINGS = {
  overlapMs: 5_000,
  leafRenewBeforeMs: 8_000,
  leafValidityMs: 10_000,
  caRenewBeforeMs: 14_000,
  caValidityMs: 20_000,
};

/** One replica on the real source cluster. */
class Replica {
  readonly metrics = new RecordedMetrics();
  readonly reloader: Reloader;
  readonly trust: TrustCheck;
  readonly #rotator: Rotator;
  readonly #injector: CaInjector;
  readonly #stop = new AbortController();
  readonly #term = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(
    private readonly api: OpenCluster,
    namespace: string,
  ) {
    const { metrics } = this;
    const clock = new SystemClock();
    const parts = { api, clock, random: new SystemRandom(), log: SILENT_LOG, metrics };
    const objects = { secret: { namespace, name: "tls" }, configurations: namespace };
    const service = { namespace, name: "webhook" };
    this.#rotator = new Rotator(
      { ...objects, settings: SETTINGS, service },
      { ...parts, authority },
    );
    this.#injector = new CaInjector(objects, parts);
    this.reloader = new Reloader(true, {
      ...parts,
      accepts: (certificate) => this.trust.accepts(certificate),
    });
    const serving = () => this.reloader.serving.current();
    this.trust = new TrustCheck(true, { ...parts, serving });
    const observe = () => ({ relisted: () => {}, failed: () => {}, skipped: () => {} });
    const watch = new ReflectedObjects({ ...parts, observe });
    const observers = [this.#rotator, this.#injector, this.trust, this.reloader];
    this.#running.push(new Observed(objects, watch, observers).start(this.#stop.signal));
    this.#running.push(this.reloader.start(this.#stop.signal));
  }

  lead(): void {
    const { signal } = this.#term;
    const term = { signal, number: 1, permit: () => !signal.aborted };
    this.#running.push(this.#rotator.lead(term), this.#injector.lead(term));
  }

  resign(): void {
    this.#term.abort();
  }

  steps(): readonly string[] {
    return this.metrics.of("svc_ferry_certificate_rotations_total");
  }

  async stop(): Promise<void> {
    this.#term.abort();
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.api.close();
  }
}

describe("certificates on a real API server", () => {
  let namespace = "";
  let cluster: Cluster;
  let replicas: readonly Replica[] = [];
  let webhook: AnsweringWebhook | undefined;
  let port = 0;
  let created = 0;

  beforeEach(async () => {
    namespace = `certs-${new SystemRandom().id()}`;
    cluster = new Cluster(inject("controlPlanes").source);
    created = 0;
    await cluster.createNamespace(namespace, { "certs-test": namespace });
    const { kubeconfigPath, source } = inject("controlPlanes");
    const access = { kind: "kubeconfig" as const, path: kubeconfigPath, context: source.context };
    const open = () =>
      openCluster(
        { access, maxConnections: 4 },
        { clock: new SystemClock(), random: new SystemRandom(), log: SILENT_LOG, env: {} },
      );
    const opened = await Promise.all([open(), open(), open()]);
    replicas = opened.map((api) => new Replica(api, namespace));
    port = await freePort();
  });

  afterEach(async () => {
    await cluster.remove("ValidatingWebhookConfiguration", undefined, namespace);
    await cluster.remove("MutatingWebhookConfiguration", undefined, namespace);
    await Promise.all(replicas.map((replica) => replica.stop()));
    await webhook?.close();
    await cluster.remove("Namespace", undefined, namespace);
    await cluster.close();
  });

  /** Every ConfigMap of the namespace is asked about; without an answer it is not created. */
  async function install(): Promise<void> {
    const entry = {
      name: "a.svc-ferry.test",
      clientConfig: { url: `https://127.0.0.1:${port}/validate` },
      rules: [
        { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] },
      ],
      namespaceSelector: { matchLabels: { "certs-test": namespace } },
      failurePolicy: "Fail",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      timeoutSeconds: 5,
    };
    for (const kind of ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]) {
      await cluster.create({
        apiVersion: "admissionregistration.k8s.io/v1",
        kind,
        metadata: { name: namespace },
        webhooks: [entry, { ...entry, name: "b.svc-ferry.test" }],
      });
    }
  }

  /** @throws when the API server could not ask */
  async function ask(): Promise<void> {
    created += 1;
    await cluster.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace, name: `asked-${created}` },
    });
  }

  async function serve(): Promise<AnsweringWebhook> {
    const [, follower] = replicas;
    if (follower === undefined) throw new Error("there is no follower");
    const { serving } = follower.reloader;
    const first = await waitFor(() => serving.current(), { what: "a certificate" });
    webhook = await AnsweringWebhook.listen(first, port);
    serving.onChange((certificate) => webhook?.serve(certificate));
    await waitFor(() => follower.trust.readiness().ok, { what: "the follower to be ready" });
    return webhook;
  }

  it("lets API servers ask on through rotations, a Secret that is deleted and another leader", async () => {
    const [first, second] = replicas;
    await install();
    for (const replica of replicas) replica.lead();
    const answering = await serve();
    await waitFor(() => ask().then(() => true), { what: "the API server to know the caBundle" });
    const creates = replicas
      .flatMap((replica) => replica.steps())
      .filter((s) => s.startsWith("create"));
    for (const replica of replicas.slice(1)) replica.resign();

    const signed = () => first?.steps().filter((step) => step.startsWith("sign")).length ?? 0;
    while (signed() < 2) await ask();
    await cluster.remove("Secret", namespace, "tls");
    while (signed() < 3) await ask();

    expect(creates).toEqual(["create unusable"]);
    expect(answering.answered).toBe(created * 4);
    expect(second?.metrics.of("svc_ferry_certificates_refused_total")).toContain("serving missing");
  }, 120_000);

  it("fills a Secret of another type, and puts a caBundle back that somebody takes away", async () => {
    const [first] = replicas;
    await cluster.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace, name: "tls" },
      type: "kubernetes.io/tls",
      data: { "tls.crt": "", "tls.key": "", theirs: "eA==" },
    });
    await install();
    first?.lead();
    await serve();
    await waitFor(() => ask().then(() => true), { what: "the API server to know the caBundle" });

    const configuration = await cluster.get("ValidatingWebhookConfiguration", undefined, namespace);
    const { webhooks } = configuration as unknown as { webhooks: { clientConfig: object }[] };
    const blank = webhooks.map((one) => ({
      ...one,
      clientConfig: { url: `https://127.0.0.1:${port}/validate` },
    }));
    await cluster.patch("ValidatingWebhookConfiguration", undefined, namespace, {
      webhooks: blank,
    });
    const restored = await waitFor(
      async () => {
        const now = await cluster.get("ValidatingWebhookConfiguration", undefined, namespace);
        return JSON.stringify(now).includes("caBundle") ? now : undefined;
      },
      { what: "the caBundle to be back", timeoutMs: 1_000 },
    );

    expect(restored).toMatchObject({ webhooks });
    expect(await cluster.get("Secret", namespace, "tls")).toMatchObject({
      type: "kubernetes.io/tls",
      data: { theirs: "eA==" },
    });
  });
});
