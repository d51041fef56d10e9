/**
 * Keys of encryption that may be exchanged while they are in use: whoever holds a transformer of it has the newest keys at each
 * call.
 *
 * Reading and writing are not exchanged at once. API servers have to know a new first key before anything is written with it,
 * or every list of that resource fails for everybody; so the keys of before go on writing for a while.
 */
import type { Clock } from "../../src/ports/clock.js";
import type {
  Decrypted,
  Encryption,
  GroupResource,
  ValueTransformer,
} from "../encryption/transformer.js";

export class LiveEncryption implements Encryption {
  #reads: Encryption;
  #writes: Encryption;
  /** Monotonic ms from when on the newest keys write. */
  #settledMs = -Infinity;

  constructor(
    first: Encryption,
    private readonly clock: Clock,
    /** 0: the newest keys write at once. */
    private readonly settleMs: number,
  ) {
    this.#reads = first;
    this.#writes = first;
  }

  /** Keys that are exchanged again before they have settled never write. */
  replace(newest: Encryption): void {
    this.#settle();
    if (this.#reads !== this.#writes) this.#reads.close();
    this.#reads = newest;
    this.#settledMs = this.clock.monotonicMs() + this.settleMs;
    this.#settle();
  }

  get fingerprint(): string {
    return this.#writer().fingerprint;
  }

  transformer(resource: GroupResource): ValueTransformer {
    return new LiveTransformer(
      new Latest(resource, () => this.#reads),
      new Latest(resource, () => this.#writer()),
    );
  }

  close(): void {
    if (this.#reads !== this.#writes) this.#reads.close();
    this.#writes.close();
  }

  #writer(): Encryption {
    this.#settle();
    return this.#writes;
  }

  #settle(): void {
    if (this.#reads === this.#writes || this.clock.monotonicMs() < this.#settledMs) return;
    this.#writes.close();
    this.#writes = this.#reads;
  }
}

/** The transformer of whichever keys are in force; made once for each. */
class Latest {
  #of: Encryption | undefined;
  #made: ValueTransformer | undefined;

  constructor(
    private readonly resource: GroupResource,
    private readonly encryption: () => Encryption,
  ) {}

  get(): ValueTransformer {
    const now = this.encryption();
    if (this.#made !== undefined && this.#of === now) return this.#made;
    this.#of = now;
    this.#made = now.transformer(this.resource);
    return this.#made;
  }
}

class LiveTransformer implements ValueTransformer {
  constructor(
    private readonly reads: Latest,
    private readonly writes: Latest,
  ) {}

  get encrypts(): boolean {
    return this.writes.get().encrypts;
  }

  get writePrefix(): string {
    return this.writes.get().writePrefix;
  }

  /** What the keys of before still write can be opened too, also when the newest file does not name them any more. */
  async decrypt(stored: Buffer, key: string): Promise<Decrypted> {
    const [newest, before] = [this.reads.get(), this.writes.get()];
    const opened = await newest.decrypt(stored, key);
    if (opened.kind === "plain" || newest === before) return opened;
    const otherwise = await before.decrypt(stored, key);
    return otherwise.kind === "plain" ? otherwise : opened;
  }

  encrypt(plain: Buffer, key: string): Promise<Buffer> {
    return this.writes.get().encrypt(plain, key);
  }
}
