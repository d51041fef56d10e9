/**
 * Puts the bundle into both webhook configurations and keeps it there: the leader's.
 *
 * Each look reads the Secret and the configuration from the API server. What a watch says may be old, and an old bundle written
 * over a newer one would take the trust away from certificates that are served already.
 */
import type { Clock } from "../src/ports/clock.js";
import type { KubeApi } from "../src/ports/kube-api.js";
import { SECRETS } from "../src/ports/kube-resources.js";
import type { Log } from "../src/ports/log.js";
import type { Metrics } from "../src/ports/metrics.js";
import type { Random } from "../src/ports/random.js";
import type { Term } from "../src/ports/term.js";
import { Attempts } from "./attempts.js";
import { Doorbell } from "./doorbell.js";
import type { Certificate } from "./certificate.js";
import { bundleText, type Holding } from "./holding.js";
import { isValidAt } from "./lifetime.js";
import type { CertificateObjects, CertificateObserver } from "./observed.js";
import { parseSecret } from "./secret-content.js";
import {
  CONFIGURATION_KINDS,
  CONFIGURATIONS,
  type ConfigurationKind,
  publishedBundles,
  type WebhookConfiguration,
  withBundle,
} from "./webhook-configuration.js";

export interface CaInjectorParts {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A change rings; this is for the one that a watch has lost. */
const LOOK_AGAIN_MS = 60_000;
/** Between two looks, however often it rings. */
const GAP_MS = 50;
/** After a write: somebody who takes the bundle away as quickly as we put it back must not keep an API server busy. */
const AFTER_WRITE_MS = 250;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 10_000;

export class CaInjector implements CertificateObserver {
  readonly #doorbells: Readonly<Record<ConfigurationKind, Doorbell>>;

  constructor(
    private readonly objects: CertificateObjects,
    private readonly parts: CaInjectorParts,
  ) {
    const { clock } = parts;
    this.#doorbells = { mutating: new Doorbell(clock), validating: new Doorbell(clock) };
  }

  secretChanged(): void {
    for (const kind of CONFIGURATION_KINDS) this.#doorbells[kind].ring();
  }

  configurationChanged(kind: ConfigurationKind): void {
    this.#doorbells[kind].ring();
  }

  /** Until the term is over. Never rejects. */
  async lead(term: Term): Promise<void> {
    const { configurations } = this.objects;
    if (configurations === undefined) return;
    await Promise.all(CONFIGURATION_KINDS.map((kind) => this.#keep(kind, configurations, term)));
  }

  async #keep(kind: ConfigurationKind, name: string, term: Term): Promise<void> {
    const { log, random, clock } = this.parts;
    const fields = { configuration: `${kind}/${name}` };
    const attempts = new Attempts({
      log,
      random,
      fields,
      baseMs: RETRY_BASE_MS,
      maxMs: RETRY_MAX_MS,
    });
    let missed = false;
    while (!term.signal.aborted) {
      try {
        const outcome = await this.#look(kind, name, term);
        attempts.worked();
        if (outcome === "missing" && !missed)
          log.info(fields, "webhook configuration is not there");
        missed = outcome === "missing";
        const gapMs = outcome === "written" || outcome === "conflict" ? AFTER_WRITE_MS : GAP_MS;
        await clock.sleep(gapMs, term.signal);
        // After a conflict there is something new to read already.
        if (outcome !== "conflict") await this.#doorbells[kind].wait(LOOK_AGAIN_MS, term.signal);
      } catch (error) {
        if (!term.signal.aborted) await clock.sleep(attempts.failed(error), term.signal);
      }
    }
  }

  async #look(
    kind: ConfigurationKind,
    name: string,
    term: Term,
  ): Promise<"missing" | "right" | "written" | "conflict"> {
    const { api, log, metrics } = this.parts;
    const resource = CONFIGURATIONS[kind];
    const { signal } = term;
    const [secret, configuration] = await Promise.all([
      api.get(SECRETS, this.objects.secret, signal),
      api.get(resource, { name }, signal),
    ]);
    if (configuration === undefined) return "missing";
    const bundle = bundleText(this.#bundle(parseSecret(secret), configuration));
    if (bundle === "") return "right";
    const webhooks = withBundle(configuration, Buffer.from(bundle).toString("base64"));
    const { uid, resourceVersion } = configuration.metadata;
    if (webhooks === undefined || uid === undefined) return "right";
    const write = { signal, permit: () => term.permit() };
    const patch = { webhooks };
    const written = await api.patch(resource, { name }, patch, { uid, resourceVersion }, write);
    if (written.kind !== "done") return "conflict";
    metrics.count("svc_ferry_ca_bundle_writes_total", { configuration: kind });
    log.info({ configuration: `${kind}/${name}` }, "ca bundle written");
    return "written";
  }

  /**
   * The Secret's. When that has no certificate that verifies against it, it is empty or broken, and when it has no key of a CA it is
   * broken or somebody else's: then every replica still serves what it had, and nothing that is valid is taken away, until rotation
   * has repaired it.
   */
  #bundle(
    { cas, leaves, signer }: Holding,
    configuration: WebhookConfiguration,
  ): readonly Certificate[] {
    if (leaves.serving !== undefined && signer !== undefined) return cas;
    const nowMs = this.parts.clock.now();
    const published = publishedBundles(configuration).flat();
    const valid = published.filter((ca) => isValidAt(ca, nowMs));
    return [...new Map([...cas, ...valid].map((ca) => [ca.id, ca])).values()];
  }
}
