/**
 * A serving certificate from files that somebody else writes, reloaded when they change.
 *
 * They are read every few seconds instead of watched: Kubernetes exchanges a symbolic link two levels above, network and overlay
 * file systems report nothing, and three small files cost nothing. Source: controller-runtime pkg/certwatcher/certwatcher.go
 * polls beside its watch for the same reasons.
 */
import type { Clock } from "../src/ports/clock.js";
import type { Log } from "../src/ports/log.js";
import type { Offer } from "./verdict.js";

export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
  /** There is no such file where API servers know the CA anyway. */
  readonly ca: string;
}

export interface CertificateFilesParts {
  readonly clock: Clock;
  readonly log: Log;
  /** A file as text; rejects when there is none. */
  readonly readFile: (path: string) => Promise<string>;
  readonly onOffer: (offer: Offer) => void;
}

/** Kubelet takes up to 90 s to write them; these are no more than a tenth of that. */
const READ_MS = 5_000;

export class CertificateFiles {
  #reported: string | undefined;

  constructor(
    private readonly paths: CertificatePaths,
    private readonly parts: CertificateFilesParts,
  ) {}

  /** Until `signal` aborts. Never rejects. */
  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      await this.parts.clock.sleep(READ_MS, signal);
    }
  }

  async #look(): Promise<void> {
    try {
      const offer = await this.#read();
      if (offer !== undefined) this.parts.onOffer(offer);
      this.#reported = undefined;
    } catch (error) {
      if (this.#reported === String(error)) return;
      this.#reported = String(error);
      this.parts.log.warn({ err: error, ...this.paths }, "certificate files cannot be read");
    }
  }

  /** undefined: they are being exchanged at this moment, and what was read may be half of the old and half of the new. */
  async #read(): Promise<Offer | undefined> {
    const { readFile } = this.parts;
    const { paths } = this;
    const cert = await readFile(paths.cert);
    const key = await readFile(paths.key);
    const ca = await readFile(paths.ca).catch(unlessMissing);
    return (await readFile(paths.cert)) === cert ? { cert, key, ca } : undefined;
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
