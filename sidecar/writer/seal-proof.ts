/**
 * Whether the destination's keys of encryption are those of its API servers. One value that they cannot open makes every list of its
 * resource fail for everybody, so before the objects of a resource are written:
 *
 * 1. A value that is there already must open with our keys. Otherwise the resource is paused.
 * 2. The first object that we encrypt goes alone, and is read back and opened before the others go.
 *
 * Both once for each resource and configuration, so a reload begins anew.
 */
import { prefixEnd } from "../etcd/etcd.js";
import type { StoredResource } from "../keys/resource.js";
import type { Outcome } from "./observation.js";
import type { WriterParts } from "./parts.js";

/** A resource whose values did not open is looked at again after this long: a person may have removed the one. */
const AGAIN_MS = 10_000;

/** One resource under one configuration. */
interface Trial {
  /** Monotonic ms of the last look at an existing value; undefined: none yet. */
  lookedMs: number | undefined;
  /** Why nothing of the resource is written. */
  why: string | undefined;
  /** What we wrote was read back and opened. */
  isProven: boolean;
  /** The first write; the others wait for it. */
  first: Promise<unknown> | undefined;
  looking: Promise<void> | undefined;
}

export class SealProof {
  #trials = new Map<string, Trial>();
  #fingerprint: string | undefined;

  constructor(private readonly parts: WriterParts) {}

  /**
   * Why nothing of this resource may be written; undefined: it may. Mostly known, and told at once.
   * @throws FenceLost, EncryptionUnavailable
   */
  whyNot(resource: StoredResource): string | undefined | Promise<string | undefined> {
    const trial = this.#trial(resource);
    const { lookedMs, why } = trial;
    const isDue = lookedMs === undefined || (why !== undefined && this.#isOld(lookedMs));
    if (!isDue || trial.isProven) return why;
    trial.looking ??= this.#look(resource, trial).finally(() => (trial.looking = undefined));
    return trial.looking.then(() => trial.why);
  }

  #isOld(lookedMs: number): boolean {
    return this.parts.clock.monotonicMs() - lookedMs >= AGAIN_MS;
  }

  /** Nothing has to be read back before this resource is written. */
  isProven(resource: StoredResource): boolean {
    return !this.parts.destination.encrypts(resource) || this.#trial(resource).isProven;
  }

  /** Runs `write` at once, or after the first one of its resource was read back. @throws what `write` throws */
  inTurn(path: string, resource: StoredResource, write: () => Promise<Outcome>): Promise<Outcome> {
    return this.isProven(resource) ? write() : this.#inTurn(path, resource, write);
  }

  async #inTurn(
    path: string,
    resource: StoredResource,
    write: () => Promise<Outcome>,
  ): Promise<Outcome> {
    for (;;) {
      const trial = this.#trial(resource);
      if (this.isProven(resource) || trial.why !== undefined) return write();
      if (trial.first === undefined) return this.#first(trial, { path, resource, write });
      // What became of the first one is told to whoever wrote it; here only that it is over counts.
      await Promise.allSettled([trial.first]);
    }
  }

  async #first(
    trial: Trial,
    {
      path,
      resource,
      write,
    }: { path: string; resource: StoredResource; write: () => Promise<Outcome> },
  ): Promise<Outcome> {
    const writing = write().then(async (outcome) => {
      if (outcome === "put") await this.#readBack(trial, path, resource);
      return outcome;
    });
    trial.first = writing;
    try {
      return await writing;
    } finally {
      trial.first = undefined;
    }
  }

  async #look(resource: StoredResource, trial: Trial): Promise<void> {
    const { transactions, destination, clock } = this.parts;
    const key = destination.prefix.key(`${resource.path}/`);
    const { kvs } = await transactions.range({ key, rangeEnd: prefixEnd(key), limit: 1 });
    const [kv] = kvs;
    const opened = kv && (await destination.unseal(kv, resource));
    trial.lookedMs = clock.monotonicMs();
    this.#judge(trial, resource, opened?.kind === "unreadable" ? opened.message : undefined);
  }

  /** Whoever has changed or removed it meanwhile leaves nothing to be proven; it was opened before it was sent, too. */
  async #readBack(trial: Trial, path: string, resource: StoredResource): Promise<void> {
    const { transactions, destination, books } = this.parts;
    const [kv] = await transactions.read([destination.prefix.key(path)]);
    const isOurs =
      kv !== undefined && kv.modRevision === books.index.get(path)?.destinationRevision;
    const opened = isOurs ? await destination.unseal(kv, resource) : undefined;
    trial.isProven = opened?.kind !== "unreadable";
    if (opened?.kind !== "unreadable") return;
    this.#judge(trial, resource, `read back: ${opened.message}`);
    // What another value says does not matter any more; other keys are another trial.
    trial.lookedMs = Infinity;
  }

  #judge(trial: Trial, { resource, group }: StoredResource, why: string | undefined): void {
    if (why !== undefined && why !== trial.why) {
      this.parts.log.error(
        { resource, group, why },
        "values of the destination cannot be opened: nothing of this resource is written",
      );
    }
    trial.why = why;
  }

  #trial({ resource, group }: StoredResource): Trial {
    const { fingerprint } = this.parts.destination;
    if (fingerprint !== this.#fingerprint) this.#trials = new Map();
    this.#fingerprint = fingerprint;
    const name = `${resource}.${group}`;
    const known = this.#trials.get(name);
    if (known !== undefined) return known;
    const trial = {
      ...{ lookedMs: undefined, why: undefined, first: undefined, looking: undefined },
      isProven: false,
    };
    this.#trials.set(name, trial);
    return trial;
  }
}
