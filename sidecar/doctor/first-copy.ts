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

/** The source as the rules see it now: its Namespaces and CRDs are read. @throws the signal's reason */
export async function viewOf(parts: FirstCopyParts, signal: AbortSignal): Promise<SourceView> {
  const { source: etcd, sourcePrefix: prefix, encryption, rules, clock, log } = parts;
  const view = new SourceView(encryption, Catalog.builtin(prefix), rules);
  const sourcePrefix = new KubePrefix(prefix);
  const peek = view.peek.bind(view);
  await readIndexes({ etcd, clock, log, signal, sourcePrefix, view, peek });
  return view;
}

export class FirstCopy {
  constructor(private readonly parts: FirstCopyParts) {}

  /** Of every resource that a rule names, whatever the rules' selectors say: a few small questions for each. @throws EtcdError */
  async atMost(signal: AbortSignal): Promise<CopySize> {
    const view = await viewOf(this.parts, signal);
    let sum: CopySize = { objects: 0, bytes: 0 };
    for (const prefix of this.#prefixes(view)) {
      sum = together(sum, await this.#sampled(prefix, signal));
    }
    return sum;
  }

  /** Of what the rules take, object by object: reads as much as the copy itself will. @throws the signal's reason */
  async exactly(signal: AbortSignal): Promise<CopySize> {
    const view = await viewOf(this.parts, signal);
    let sum: CopySize = { objects: 0, bytes: 0 };
    for (const prefix of this.#prefixes(view)) {
      const { source: etcd, clock, log } = this.parts;
      for await (const { kvs } of sourcePages({ etcd, clock, log, signal, prefix })) {
        sum = together(sum, await wantedOf(view, kvs));
      }
    }
    return sum;
  }

  #prefixes({ rules, catalog }: SourceView): readonly string[] {
    const prefix = new KubePrefix(this.parts.sourcePrefix);
    return passOrder(rules, catalog).flatMap((group) =>
      group.map(({ path }) => prefix.key(`${path}/`)),
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

/** What the rules take of a page. */
async function wantedOf(view: SourceView, kvs: readonly KeyValue[]): Promise<CopySize> {
  let [objects, bytes] = [0, 0];
  for (const kv of kvs) {
    const reading = await view.read(kv);
    if (reading.kind !== "wanted") continue;
    objects += 1;
    bytes += kv.key.length + kv.value.length;
  }
  return { objects, bytes };
}

function together(one: CopySize, other: CopySize): CopySize {
  return { objects: one.objects + other.objects, bytes: one.bytes + other.bytes };
}
