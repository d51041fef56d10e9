/**
 * Whether API servers will accept what this replica shows: part of its readiness. It looks at the webhook configurations as they
 * are, not as we have written them: one replica with a certificate that nobody trusts, "healthy" all the while, has been an
 * outage of five days (gatekeeper#1045).
 */
import type { Readiness } from "../src/ports/health.js";
import type { Clock } from "../src/ports/clock.js";
import type { Metrics } from "../src/ports/metrics.js";
import type { Certificate } from "./certificate.js";
import { isValidAt } from "./lifetime.js";
import type { CertificateObserver } from "./observed.js";
import { isTrusted, uncovered } from "./trust.js";
import type { Accepted } from "./verdict.js";
import {
  calledNames,
  CONFIGURATION_KINDS,
  type ConfigurationKind,
  publishedBundles,
  type WebhookConfiguration,
} from "./webhook-configuration.js";

/** A configuration as far as it says something about certificates. */
interface Published {
  readonly bundles: readonly (readonly Certificate[])[];
  readonly names: readonly string[];
}

export interface TrustCheckParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** What this replica shows. */
  readonly serving: () => Accepted | undefined;
}

export class TrustCheck implements CertificateObserver {
  readonly #published = new Map<ConfigurationKind, Published | undefined>();

  /** @param needsBundle false: an entry without caBundle is right, the certificate comes from a CA that API servers know */
  constructor(
    private readonly needsBundle: boolean,
    private readonly parts: TrustCheckParts,
  ) {
    parts.metrics.beforeScrape(() => this.#measure());
  }

  configurationChanged(
    kind: ConfigurationKind,
    configuration: WebhookConfiguration | undefined,
  ): void {
    this.#published.set(
      kind,
      configuration && {
        bundles: publishedBundles(configuration),
        names: calledNames(configuration),
      },
    );
  }

  /** From memory. A configuration that is not there, or has not been seen yet, calls nobody. */
  readiness(): Readiness {
    const serving = this.parts.serving();
    if (serving === undefined) return waitingFor(["a certificate"]);
    if (!isValidAt(serving.leaf, this.parts.clock.now())) {
      return waitingFor(["a certificate that has not ended"]);
    }
    return waitingFor(this.#problems(serving));
  }

  /** Whether API servers accept this certificate now, as far as the configurations are known here. */
  accepts(certificate: Accepted): boolean {
    const isValid = isValidAt(certificate.leaf, this.parts.clock.now());
    return isValid && this.#problems(certificate).length === 0;
  }

  #problems(serving: Accepted): readonly string[] {
    return CONFIGURATION_KINDS.flatMap((kind) => this.#problem(kind, serving) ?? []);
  }

  #problem(kind: ConfigurationKind, serving: Accepted): string | undefined {
    const published = this.#published.get(kind);
    if (published === undefined) return undefined;
    const trust = { needsBundle: this.needsBundle, nowMs: this.parts.clock.now() };
    if (published.bundles.some((bundle) => !isTrusted(serving.chain, bundle, trust))) {
      return `the caBundle of the ${kind} webhook configuration to fit the certificate`;
    }
    const [missing] = uncovered(serving.leaf, published.names);
    return missing && `a certificate for ${missing}`;
  }

  #measure(): void {
    const serving = this.parts.serving();
    for (const configuration of CONFIGURATION_KINDS) {
      if (this.#published.get(configuration) === undefined) continue;
      const isRight = serving !== undefined && this.#problem(configuration, serving) === undefined;
      this.parts.metrics.set("svc_ferry_ca_bundle_match", { configuration }, isRight ? 1 : 0);
    }
  }
}

function waitingFor(missing: readonly string[]): Readiness {
  return { ok: missing.length === 0, waitingFor: missing };
}
