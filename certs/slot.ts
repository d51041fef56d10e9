/** One certificate in use: takes what is good, refuses what is not, and goes on with the last good one. */
import type { CertificateRefusal } from "../src/ports/certificate-refusal.js";
import type { Clock } from "../src/ports/clock.js";
import type { Log } from "../src/ports/log.js";
import type { Metrics } from "../src/ports/metrics.js";
import { rfc3339 } from "../src/ports/timestamps.js";
import type { Certificate } from "./certificate.js";
import { isFor, type LeafName } from "./holding.js";
import { Latest } from "./latest.js";
import { type Accepted, type Offer, verdict } from "./verdict.js";

export interface SlotParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What a certificate must be good for here, beside being one that can be used. */
export interface Purpose {
  readonly suits: (leaf: Certificate) => boolean;
  /** Do those who connect accept it now? One that they accept is not given up for one that they do not. */
  readonly accepts: (certificate: Accepted) => boolean;
}

export class Slot {
  /** The certificate in use. */
  readonly latest = new Latest<Accepted>();
  #offer: Offer | undefined;
  #refusal: CertificateRefusal | "not-accepted" | undefined;
  #hasToldEnd = false;

  constructor(
    private readonly name: LeafName,
    private readonly purpose: Purpose,
    private readonly parts: SlotParts,
  ) {}

  /** Something is there to be used; it is judged again whenever `check` is called. */
  offer(offer: Offer): void {
    const isNews = !isSame(offer, this.#offer);
    this.#offer = offer;
    if (isNews) this.#refusal = undefined;
    this.check();
  }

  /** Judges what was offered last: a certificate comes to its time, or to its end, or others begin to accept it. */
  check(): void {
    const offer = this.#offer;
    if (offer !== undefined && !isSame(offer, this.latest.current())) this.#judge(offer);
    this.#tellEnd();
  }

  #judge(offer: Offer): void {
    const { suits, accepts } = this.purpose;
    const current = this.latest.current();
    // One that nobody accepts has nothing to defend: whoever puts the one before it back does so on purpose.
    const defended = current !== undefined && accepts(current) ? current : undefined;
    const judged = verdict(offer, {
      suits: (leaf) => isFor(this.name, leaf) && suits(leaf),
      current: defended,
      nowMs: this.parts.clock.now(),
    });
    if (judged.kind === "refused") this.#refuse(judged.refusal);
    else if (defended !== undefined && !accepts(judged.accepted)) this.#refuse("not-accepted");
    else this.#take(judged.accepted);
  }

  #take(accepted: Accepted): void {
    const { log, metrics } = this.parts;
    const { leaf, issuer } = accepted;
    const isNewLeaf = leaf.id !== this.latest.current()?.leaf.id;
    this.#refusal = undefined;
    this.#hasToldEnd = false;
    this.#expiry(this.name, leaf);
    if (this.name === "serving" && issuer !== undefined) this.#expiry("ca", issuer);
    if (isNewLeaf) {
      const fields = { certificate: this.name, ends: rfc3339(leaf.notAfterMs), names: leaf.names };
      log.info(fields, "certificate taken");
      metrics.count("svc_ferry_certificates_taken_total", { kind: this.name });
    }
    this.latest.set(accepted);
  }

  #refuse(reason: CertificateRefusal | "not-accepted"): void {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    const { log, metrics } = this.parts;
    metrics.count("svc_ferry_certificates_refused_total", { kind: this.name, reason });
    const fields = { certificate: this.name, reason };
    if (this.latest.current() === undefined) log.warn(fields, "no certificate yet");
    else log.warn(fields, "certificate refused, the last good one stays in use");
  }

  #tellEnd(): void {
    const leaf = this.latest.current()?.leaf;
    if (leaf === undefined || this.#hasToldEnd || leaf.notAfterMs > this.parts.clock.now()) return;
    this.#hasToldEnd = true;
    const fields = { certificate: this.name, ended: rfc3339(leaf.notAfterMs) };
    this.parts.log.error(fields, "the certificate in use has ended");
  }

  #expiry(kind: LeafName | "ca", { notAfterMs }: Certificate): void {
    const seconds = notAfterMs / 1_000;
    this.parts.metrics.set("svc_ferry_certificate_expiry_timestamp_seconds", { kind }, seconds);
  }
}

function isSame(one: Offer, other: Offer | undefined): boolean {
  return one.cert === other?.cert && one.key === other.key && one.ca === other.ca;
}
