/** The certificates of one process: its part in rotating them, and what it shows and trusts at this moment. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { authority } from "../certs/authority.js";
import { CaInjector } from "../certs/ca-injector.js";
import { CertificateFiles } from "../certs/certificate-files.js";
import { SECRET_NAME, SERVICE_NAME } from "../certs/object-names.js";
import { Observed, type CertificateObserver } from "../certs/observed.js";
import { Reloader } from "../certs/reloader.js";
import type { RotationSettings } from "../certs/rotation-settings.js";
import { Rotator } from "../certs/rotator.js";
import { StampKeySearch } from "../certs/stamp-key-search.js";
import { TrustCheck } from "../certs/trust-check.js";
import type { Accepted } from "../certs/verdict.js";
import type { Config } from "./config/config.js";
import type { Signer } from "./domain/stamp.js";
import type { Clock } from "./ports/clock.js";
import type { HandOffIdentities } from "./ports/hand-off-identity.js";
import type { Readiness } from "./ports/health.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { Log } from "./ports/log.js";
import type { Metrics } from "./ports/metrics.js";
import type { Random } from "./ports/random.js";
import type { ServingCertificates } from "./ports/serving-certificate.js";
import type { Term } from "./ports/term.js";
import { ReflectedObjects } from "./reflected-objects.js";
import type { WatchObserver } from "./watch/reflector-options.js";

export interface CertificatesParts {
  /** The source. */
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly observe: (resource: string) => WatchObserver;
}

export class Certificates {
  readonly #reloader: Reloader;
  readonly #trust: TrustCheck;
  readonly #rotator: Rotator;
  /** undefined: somebody else tells API servers of the CA. */
  readonly #injector: CaInjector | undefined;
  readonly #observed: Observed;
  /** undefined: ours come from the Secret. */
  readonly #files: CertificateFiles | undefined;
  readonly #keys: StampKeySearch;

  constructor(config: Config, parts: CertificatesParts, settings: RotationSettings) {
    const { clock } = parts;
    const { namespace } = config.lease;
    const { configuration, certs } = config.webhook;
    const isOurs = certs.mode === "self";
    const objects = { secret: { namespace, name: SECRET_NAME }, configurations: configuration };
    const common = { ...parts, log: parts.log.child("certs") };
    const service = isOurs ? { namespace, name: SERVICE_NAME } : undefined;
    this.#rotator = new Rotator({ ...objects, settings, service }, { ...common, authority });
    this.#injector = isOurs ? new CaInjector(objects, common) : undefined;
    const accepts = (certificate: Accepted): boolean => this.#trust.accepts(certificate);
    this.#reloader = new Reloader(isOurs, { ...common, accepts });
    const serving = () => this.#reloader.serving.current();
    this.#trust = new TrustCheck(certs.mode !== "provided", { ...common, serving });
    const observers: readonly CertificateObserver[] = [
      this.#rotator,
      ...(this.#injector === undefined ? [] : [this.#injector]),
      this.#trust, // before who asks it
      this.#reloader,
    ];
    this.#keys = new StampKeySearch({
      ...common,
      secret: objects.secret,
      knows: (signature) => this.signer?.knows(signature) === true,
      learn: (secret) => this.#reloader.learn(secret),
    });
    this.#observed = new Observed(objects, new ReflectedObjects(common), observers);
    const file = (name: string): string => join(certs.directory, name);
    const paths = { cert: file("tls.crt"), key: file("tls.key"), ca: file("ca.crt") };
    this.#files = isOurs
      ? undefined
      : new CertificateFiles(paths, {
          clock,
          log: common.log,
          readFile: (path) => readFile(path, "utf8"),
          onOffer: (offer) => this.#reloader.offerServing(offer),
        });
  }

  get serving(): ServingCertificates {
    return this.#reloader.serving;
  }

  get handOff(): HandOffIdentities {
    return this.#reloader.handOff;
  }

  /** Of stamps; undefined: its key is not loaded yet. */
  get signer(): Signer | undefined {
    return this.#reloader.signer;
  }

  /** Resolves when this signature's key is known, if it can be; undefined: it is now. Never rejects. */
  findKey(signature: string): Promise<void> | undefined {
    return this.signer === undefined ? undefined : this.#keys.find(signature);
  }

  /** Whether API servers accept what this process shows. */
  readiness(): Readiness {
    return this.#trust.readiness();
  }

  /** Follows what there is, leader or not, until `signal` aborts. Never rejects. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#observed.start(signal),
      this.#reloader.start(signal),
      this.#files?.start(signal),
    ]);
  }

  /** Rotates and tells API servers, for one term. Never rejects. */
  async lead(term: Term): Promise<void> {
    await Promise.all([this.#rotator.lead(term), this.#injector?.lead(term)]);
  }
}
