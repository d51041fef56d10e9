/** How much a first copy takes in the destination, found out before it begins. */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { Encryption } from "../encryption/transformer.js";
import { prefixEnd, type Etcd, type KeyValue } from "../etcd/etcd.js";
import { Catalog } from "../keys/catalog.js";
import { KubePrefix } from "../link/keyspace.js";
import { passOrder } from "../pass/pass-order.js";
import { sourcePages } from "../pass/source-pages.js";
import type { Ruleset } from "../rules/ruleset.js";
import { readIndexes } from "../view/read-indexes.js";
import { SourceView } from "../view/source-view.js";

/** Objects, and what they hold together. */
export interface CopySize {
  readonly objects: number;
  /** Of keys and values, as the source stores them. */
  readonly bytes: number;
}

export interface FirstCopyParts {
  readonly source: Etcd;
  /** As `--kube-prefix` has it. */
  readonly sourcePrefix: string;
  readonly encryption: Encryption;
  readonly rules: Ruleset;
  readonly clock: Clock;
  readonly log: Log;
}

/** Objects of one resource whose size stands for all of it. */
const SAMPLE = 64;
/**
 * What a byte of the source takes in the destination's database: its record in the ledger, its place in the index, pages that are
 * not full, and revisions that nobody has compacted yet.
 */
const GROWTH = 2.2;

/** What this much needs in the destination's database. */
export function spaceFor({ bytes }: CopySize): number {
  return bytes * GROWTH;
}

export class FirstCopy {
  readonly #view: SourceView;
  readonly #prefix: KubePrefix;

  constructor(private readonly parts: FirstCopyParts) {
    const { sourcePrefix, encryption, rules } = parts;
    this.#prefix = new KubePrefix(sourcePrefix);
    this.#view = new SourceView(encryption, Catalog.builtin(sourcePrefix), rules);
  }

  /** Of every resource that a rule names, whatever the rules' selectors say: a few small questions for each. @throws EtcdError */
  async atMost(signal: AbortSignal): Promise<CopySize> {
    await this.#readIndexes(signal);
    let sum: CopySize = { objects: 0, bytes: 0 };
    for (const prefix of this.#prefixes()) {
      sum = together(sum, await this.#sampled(prefix, signal));
    }
    return sum;
  }

  /** Of what the rules take, object by object: reads as much as the copy itself will. @throws the signal's reason */
  async exactly(signal: AbortSignal): Promise<CopySize> {
    await this.#readIndexes(signal);
    let sum: CopySize = { objects: 0, bytes: 0 };
    for (const prefix of this.#prefixes()) {
      const { source: etcd, clock, log } = this.parts;
      for await (const { kvs } of sourcePages({ etcd, clock, log, signal, prefix })) {
        sum = together(sum, await this.#wanted(kvs));
      }
    }
    return sum;
  }

  async #wanted(kvs: readonly KeyValue[]): Promise<CopySize> {
    let [objects, bytes] = [0, 0];
    for (const kv of kvs) {
      const reading = await this.#view.read(kv);
      if (reading.kind !== "wanted") continue;
      objects += 1;
      bytes += kv.key.length + kv.value.length;
    }
    return { objects, bytes };
  }

  async #readIndexes(signal: AbortSignal): Promise<void> {
    const { source: etcd, clock, log } = this.parts;
    const [sourcePrefix, view] = [this.#prefix, this.#view];
    const peek = view.peek.bind(view);
    await readIndexes({ etcd, clock, log, signal, sourcePrefix, view, peek });
  }

  #prefixes(): readonly string[] {
    const { rules, catalog } = this.#view;
    return passOrder(rules, catalog).flatMap((group) =>
      group.map(({ path }) => this.#prefix.key(`${path}/`)),
    );
  }

  async #sampled(prefix: string, signal: AbortSignal): Promise<CopySize> {
    const range = { key: prefix, rangeEnd: prefixEnd(prefix), limit: SAMPLE };
    const { kvs, count } = await this.parts.source.range(range, { signal });
    const objects = Number(count);
    if (kvs.length === 0) return { objects, bytes: 0 };
    const sampled = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    return { objects, bytes: Math.round((sampled / kvs.length) * objects) };
  }
}

function together(one: CopySize, other: CopySize): CopySize {
  return { objects: one.objects + other.objects, bytes: one.bytes + other.bytes };
}
