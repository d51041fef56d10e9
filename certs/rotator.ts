/**
 * Keeps the Secret as rotation wants it: the leader's. Replicas follow the Secret by themselves.
 *
 * Each pass reads the Secret and both configurations from the API server, decides (rotation.ts), and writes at most once. A write
 * carries the version that was read, a first one is a create: of several who try, one wins and the others read again.
 */
import { MANAGED_BY, MANAGED_BY_LABEL } from "../src/domain/labels.js";
import type { Clock } from "../src/ports/clock.js";
import type { KubeApi, KubeObject, WriteResult } from "../src/ports/kube-api.js";
import { SECRETS } from "../src/ports/kube-resources.js";
import type { Log } from "../src/ports/log.js";
import type { Metrics } from "../src/ports/metrics.js";
import type { Random } from "../src/ports/random.js";
import type { Term } from "../src/ports/term.js";
import { rfc3339 } from "../src/ports/timestamps.js";
import { Attempts, codeOf } from "./attempts.js";
import type { Authority } from "./authority.js";
import type { Certificate } from "./certificate.js";
import { carryOut, type Writing } from "./carry-out.js";
import { Doorbell } from "./doorbell.js";
import type { Holding } from "./holding.js";
import type { CertificateObjects, CertificateObserver } from "./observed.js";
import { isPublished, rotation, type Situation } from "./rotation.js";
import { maxPauseMs, MIN_PAUSE_MS, type RotationSettings } from "./rotation-settings.js";
import { parseSecret, renderSecret, type Secret } from "./secret-content.js";
import { wantedLeaves } from "./wanted-leaves.js";
import {
  CONFIGURATION_KINDS,
  CONFIGURATIONS,
  publishedBundles,
  type ServiceName,
  type WebhookConfiguration,
} from "./webhook-configuration.js";

export interface RotatorOptions extends CertificateObjects {
  readonly settings: RotationSettings;
  /**
   * The webhook's Service: what the serving certificate is for, beside what the configurations call. undefined: that certificate
   * comes from elsewhere, and only the hand-off's and the stamp keys are ours.
   */
  readonly service: ServiceName | undefined;
}

export interface RotatorParts {
  readonly api: KubeApi;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Between two looks, however often it rings. */
const GAP_MS = 100;
/** Writes that follow each other sooner are the same trouble; the steps of a repair are this far apart. */
const SAME_TROUBLE_MS = 4_000;
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 60_000;

export class Rotator implements CertificateObserver {
  readonly #doorbell: Doorbell;
  readonly #attempts: Attempts;
  readonly #secret: string;
  /** The next CA, and when every configuration was first seen to trust it. */
  #nextSeen: { readonly id: string; readonly atMs: number } | undefined;
  #lastWriteMs = -Infinity;
  #afterWriteMs = MIN_PAUSE_MS;

  constructor(
    private readonly options: RotatorOptions,
    private readonly parts: RotatorParts,
  ) {
    const { log, random, clock } = parts;
    const { namespace, name } = options.secret;
    this.#secret = `${namespace}/${name}`;
    this.#doorbell = new Doorbell(clock);
    const fields = { secret: this.#secret };
    const [baseMs, maxMs] = [RETRY_BASE_MS, RETRY_MAX_MS];
    this.#attempts = new Attempts({ log, random, fields, baseMs, maxMs });
  }

  secretChanged(): void {
    this.#doorbell.ring();
  }

  configurationChanged(): void {
    this.#doorbell.ring();
  }

  /** Until the term is over. Never rejects. */
  async lead(term: Term): Promise<void> {
    const { clock, metrics } = this.parts;
    while (!term.signal.aborted) {
      try {
        const pause = await this.#pass(term);
        if (pause.firstMs > 0) await clock.sleep(pause.firstMs, term.signal);
        if (pause.thenMs > 0) await this.#doorbell.wait(pause.thenMs, term.signal);
      } catch (error) {
        if (term.signal.aborted) return;
        metrics.count("svc_ferry_certificate_failures_total", { code: codeOf(error) });
        await clock.sleep(this.#attempts.failed(error), term.signal);
      }
    }
  }

  async #pass(term: Term): Promise<Pause> {
    const { api, clock, authority } = this.parts;
    const secret = await api.get(SECRETS, this.options.secret, term.signal);
    const situation = await this.#situation(secret, term.signal);
    const step = rotation(situation);
    if (step.kind === "wait") {
      this.#attempts.worked();
      return { firstMs: GAP_MS, thenMs: Math.max(1, step.dueMs - clock.now() - GAP_MS) };
    }
    const after = carryOut(step, situation, authority);
    const result = await this.#write(secret, after, term);
    return this.#written(result, step, after);
  }

  /** The configurations after the Secret: what they trust is never older than what it says. */
  async #situation(secret: Secret | undefined, signal: AbortSignal): Promise<Situation> {
    const { settings, service, configurations: name } = this.options;
    const { api, clock } = this.parts;
    const kinds = name === undefined || service === undefined ? [] : CONFIGURATION_KINDS;
    const read = await Promise.all(
      kinds.map((kind) => api.get(CONFIGURATIONS[kind], { name: name ?? "" }, signal)),
    );
    const found: readonly WebhookConfiguration[] = read.filter((one) => one !== undefined);
    const holding = parseSecret(secret);
    const published = found.flatMap(publishedBundles);
    const nowMs = clock.now();
    return {
      holding,
      wanted: wantedLeaves(service, found),
      published,
      nextSeenMs: this.#seen(holding.next?.certificate, published, nowMs),
      settings,
      nowMs,
    };
  }

  /** NB: counted from the first time on, also when somebody blanks a caBundle in between: it is put back within a second. */
  #seen(
    next: Certificate | undefined,
    published: Situation["published"],
    nowMs: number,
  ): number | undefined {
    if (next === undefined) return undefined;
    if (this.#nextSeen?.id !== next.id) {
      if (!isPublished({ published }, next)) return undefined;
      this.#nextSeen = { id: next.id, atMs: nowMs };
    }
    return this.#nextSeen.atMs;
  }

  #write(secret: Secret | undefined, holding: Holding, term: Term): Promise<WriteResult> {
    const { api } = this.parts;
    const options = { signal: term.signal, permit: () => term.permit() };
    if (secret !== undefined) return api.replace(SECRETS, renderSecret(secret, holding), options);
    const labels = { [MANAGED_BY_LABEL]: MANAGED_BY };
    const metadata = { ...this.options.secret, labels };
    const created: Secret & KubeObject = { metadata, type: "Opaque" };
    return api.create(SECRETS, renderSecret(created, holding), options);
  }

  #written(result: WriteResult, step: Writing, after: Holding): Pause {
    const { random } = this.parts;
    switch (result.kind) {
      case "done":
        this.#attempts.worked();
        this.#tell(step, after);
        return { firstMs: this.#pauseAfterWrite(), thenMs: 0 };
      case "already-exists":
      case "conflict":
        // Somebody else has written: what they wrote is read next.
        return { firstMs: 50 + 200 * random.next(), thenMs: 0 };
      case "not-found":
      case "terminating":
        return { firstMs: this.#refused(result.kind), thenMs: 0 };
      case "invalid":
        return { firstMs: this.#refused(result.message), thenMs: 0 };
    }
  }

  /** An immutable Secret, one whose type wants other keys, a namespace that is not there: only a person can help. */
  #refused(reason: string): number {
    const { namespace, name } = this.options.secret;
    this.parts.metrics.count("svc_ferry_certificate_failures_total", { code: "FERRY-K011" });
    const fix = `see that namespace ${namespace} exists, then: kubectl -n ${namespace} delete secret ${name}; it is made anew`;
    return this.#attempts.refused(reason, fix);
  }

  /** A write that follows at once doubles it, for something undoes what we write. */
  #pauseAfterWrite(): number {
    const nowMs = this.parts.clock.monotonicMs();
    const isSameTrouble = nowMs - this.#lastWriteMs < SAME_TROUBLE_MS + this.#afterWriteMs;
    const maxMs = maxPauseMs(this.options.settings);
    this.#afterWriteMs = isSameTrouble ? Math.min(maxMs, this.#afterWriteMs * 2) : MIN_PAUSE_MS;
    this.#lastWriteMs = nowMs;
    return this.#afterWriteMs;
  }

  #tell(step: Writing, { cas, leaves, next, signer }: Holding): void {
    const { log, metrics } = this.parts;
    const { kind, reason } = step;
    metrics.count("svc_ferry_certificate_rotations_total", { step: kind, reason });
    const endOf = (certificate: { readonly notAfterMs: number } | undefined) =>
      certificate && rfc3339(certificate.notAfterMs);
    const fields = {
      secret: this.#secret,
      step: kind,
      reason,
      trusted: cas.length,
      caEnds: endOf((next ?? signer)?.certificate),
      servingEnds: endOf(leaves.serving?.certificate),
      handOffEnds: endOf(leaves["hand-off"]?.certificate),
    };
    const isRepair = reason === "unusable" && kind !== "create";
    log[isRepair ? "warn" : "info"](
      fields,
      isRepair ? "certificates repaired" : "certificates rotated",
    );
  }
}

/** First a wait that nothing shortens, then one that a change ends. */
interface Pause {
  readonly firstMs: number;
  readonly thenMs: number;
}
