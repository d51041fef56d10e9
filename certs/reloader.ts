/**
 * What this replica shows and signs with, always from the newest Secret that is good: every replica's, leader or not.
 *
 * It follows the Secret through the API. A mounted one would come up to 90 s later (kubelet's sync), which is an outage when the
 * CA changes (cluster-api#10522).
 */
import type { Signer } from "../src/domain/stamp.js";
import type { HandOffIdentities, HandOffIdentity } from "../src/ports/hand-off-identity.js";
import type { Certificate } from "./certificate.js";
import { HAND_OFF_NAME } from "./carry-out.js";
import type { Latest } from "./latest.js";
import type { CertificateObserver } from "./observed.js";
import { parseOffers, type Secret } from "./secret-content.js";
import { type Purpose, Slot, type SlotParts } from "./slot.js";
import { StampSigner } from "./stamp-signer.js";
import type { Accepted, Offer } from "./verdict.js";

/** Dates are looked at this often; the content comes by itself. */
const CHECK_MS = 30_000;

export interface ReloaderParts extends SlotParts {
  /** Whether API servers accept it, as far as this replica knows. */
  readonly accepts: Purpose["accepts"];
}

export class Reloader implements CertificateObserver {
  readonly #serving: Slot;
  readonly #handOff: Slot;
  #signer: Signer | undefined;
  /** By keys that the watch has not brought yet: signs nothing. */
  #ahead: Signer | undefined;

  /** @param servingIsOurs false: the serving certificate comes from elsewhere, by `offerServing` */
  constructor(
    private readonly servingIsOurs: boolean,
    private readonly parts: ReloaderParts,
  ) {
    const { accepts } = parts;
    this.#serving = new Slot("serving", { suits: () => true, accepts }, parts);
    const isHandOffs = ({ names }: Certificate): boolean => names.includes(HAND_OFF_NAME);
    // Replicas trust what comes with it, so nobody has to be asked.
    this.#handOff = new Slot("hand-off", { suits: isHandOffs, accepts: () => true }, parts);
  }

  /** As `ServingCertificates`, with what is known of the certificate. */
  get serving(): Latest<Accepted> {
    return this.#serving.latest;
  }

  get handOff(): HandOffIdentities {
    const { latest } = this.#handOff;
    const identity = ({ cert, key, ca = "" }: Offer): HandOffIdentity => {
      return { cert, key, ca, name: HAND_OFF_NAME };
    };
    return {
      current: () => {
        const current = latest.current();
        return current && identity(current);
      },
      onChange: (listener) => latest.onChange((accepted) => listener(identity(accepted))),
    };
  }

  /** Of stamps; undefined: the keys are not there yet. */
  get signer(): Signer | undefined {
    const [own, ahead] = [this.#signer, this.#ahead];
    if (own === undefined || ahead === undefined) return own;
    return {
      sign: (text) => own.sign(text),
      fits: (text, signature) => own.fits(text, signature) || ahead.fits(text, signature),
      knows: (signature) => own.knows(signature) || ahead.knows(signature),
    };
  }

  /** The keys of a Secret that is newer than what the watch has brought: stamps that others made with them count already. */
  learn(secret: Secret | undefined): void {
    const { stampKeys } = parseOffers(secret);
    if (stampKeys !== undefined) this.#ahead = new StampSigner(stampKeys);
  }

  secretChanged(secret: Secret | undefined): void {
    const { serving, handOff, stampKeys } = parseOffers(secret);
    if (this.servingIsOurs) this.#serving.offer(serving);
    this.#handOff.offer(handOff);
    // Without them the ones that we have are as good as ever.
    if (stampKeys === undefined) return;
    this.#signer = new StampSigner(stampKeys);
    // The watch has caught up.
    if (this.#ahead !== undefined && this.#signer.knows(this.#ahead.sign(""))) {
      this.#ahead = undefined;
    }
  }

  /** API servers may accept now what they did not before. Whoever knows what they accept must have heard of it already. */
  configurationChanged(): void {
    this.#serving.check();
  }

  /** From files, or from a Secret that somebody else writes. */
  offerServing(offer: Offer): void {
    this.#serving.offer(offer);
  }

  /** Until `signal` aborts. Never rejects. */
  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.parts.clock.sleep(CHECK_MS, signal);
      this.#serving.check();
      this.#handOff.check();
    }
  }
}
