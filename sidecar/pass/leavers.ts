/**
 * What a walk found to be ours and wanted no more. Nothing of it is removed on the word of a page: when the walk is complete the
 * brake looks at how much it is, and each object is read once more.
 */
import { transaction } from "../etcd/transaction.js";
import type { KeyValue } from "../etcd/etcd.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";
import { Flight } from "./flight.js";
import { patiently } from "../writer/patiently.js";

/** Gets of one transaction. */
const AT_ONCE = 64;

/** What is there because of one rule, and leaves: the brake looks at each by itself. */
interface Group {
  readonly paths: string[];
  /** Of the rule, those that leave among them. */
  owned: number;
}

export class Leavers {
  /** By the number of the rule, and whether it is one of the rules in force. */
  readonly #groups = new Map<string, Group>();

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
  ) {}

  get size(): number {
    let size = 0;
    for (const { paths } of this.#groups.values()) size += paths.length;
    return size;
  }

  add(path: string): void {
    const { books, brake } = this.parts;
    const { index, debts } = books;
    const known = index.get(path);
    if (known === undefined) return;
    // What the brake holds already waits for a person, however little of it a later walk finds.
    if (brake.isEngaged && debts.get(path)?.code === "braked") return;
    const name = `${known.rule} ${known.isCurrent}`;
    const group = this.#groups.get(name) ?? { paths: [], owned: 0 };
    group.paths.push(path);
    group.owned = Math.max(group.owned, index.ownedLike(known));
    this.#groups.set(name, group);
  }

  /** @param cause for people: what wanted to remove so much. @throws the signal's reason; what ended the term */
  async remove(cause: string, signal: AbortSignal): Promise<void> {
    for (const { paths, owned } of this.#groups.values()) {
      if (this.parts.brake.allows(cause, paths.length, owned)) await this.#removeAll(paths, signal);
      else await this.#hold(cause, paths, signal);
    }
    this.#groups.clear();
  }

  async #removeAll(paths: readonly string[], signal: AbortSignal): Promise<void> {
    const flight = new Flight(() => undefined);
    const reader = this.parts.books.tombstones.reads();
    try {
      for (let at = 0; at < paths.length; at += AT_ONCE) {
        signal.throwIfAborted();
        const some = paths.slice(at, at + AT_ONCE);
        const { revision, kvs } = await this.#read(some);
        reader.isAt(revision);
        for (const [index, path] of some.entries()) {
          const observation = { path, revision, kv: kvs[index], cause: "removal" } as const;
          flight.add(path, await this.writer.offer(observation, "bulk"));
        }
      }
    } finally {
      reader.end();
    }
    await flight.landed();
  }

  async #read(
    paths: readonly string[],
  ): Promise<{ readonly revision: bigint; readonly kvs: readonly (KeyValue | undefined)[] }> {
    const { source, sourcePrefix, transactions } = this.parts;
    const gets = paths.map((path) => ({ kind: "get", key: sourcePrefix.key(path) }) as const);
    return patiently(this.parts, async () => {
      const { signal } = transactions;
      const { header, results } = await source.txn(transaction([], gets, []), { signal });
      const kvs = results.map((one) => (one.kind === "get" ? one.kvs[0] : undefined));
      return { revision: header.revision, kvs };
    });
  }

  async #hold(cause: string, paths: readonly string[], signal: AbortSignal): Promise<void> {
    this.parts.log.error(
      { cause, deletions: paths.length },
      "the brake holds a mass deletion; release it if it is meant so",
    );
    const { revision } = await this.#read(paths.slice(0, 1));
    const detail = `${cause}: ${paths.length} deletions at once`;
    for (const path of paths) {
      signal.throwIfAborted();
      await this.writer.alone(path, () =>
        this.writer.owing.owe(path, { code: "braked", detail }, revision),
      );
    }
  }
}
