/** What one link has written down in its destination, for commands that come from outside: each reads, few write. */
import { decodeDebt, type DebtCode } from "../debts/debt.js";
import { prefixEnd, type Etcd, type EtcdCallOptions } from "../etcd/etcd.js";
import { BOOKS, Keyspace } from "../link/keyspace.js";
import { decodeState, type LinkState } from "../link/state.js";
import type { OpenDebts } from "../../src/ports/mirror-answers.js";

/** The state key as it was read. */
export interface ReadState {
  readonly state: LinkState;
  /** Compared by whoever writes it: a checkpoint in between must not be undone. */
  readonly modRevision: bigint;
}

/** Debts in one answer: a thousand lines of 200 B. */
const PAGE = 1_000;
/** Debts that are named; the others are only counted. */
const NAMED = 100;
/** Links that are named when one is not found. */
const MAX_LINKS = 20;

export class LinkBooks {
  readonly keys: Keyspace;

  constructor(
    readonly etcd: Etcd,
    link: string,
  ) {
    this.keys = new Keyspace(link);
  }

  /** undefined: this link has never written here. @throws EtcdError, BookUnreadable */
  async state(call: EtcdCallOptions): Promise<ReadState | undefined> {
    const [kv] = (await this.etcd.range({ key: this.keys.state }, call)).kvs;
    return kv && { state: decodeState(kv.value), modRevision: kv.modRevision };
  }

  /** Who holds the fence; undefined: nobody. @throws EtcdError */
  async holder(call: EtcdCallOptions): Promise<string | undefined> {
    const [kv] = (await this.etcd.range({ key: this.keys.fence }, call)).kvs;
    return kv?.value.toString("utf8");
  }

  /** By pages: a link may owe as much as it has. @throws EtcdError, BookUnreadable */
  async debts(call: EtcdCallOptions): Promise<OpenDebts> {
    const prefix = this.keys.debtPrefix;
    const byCode = new Map<DebtCode, number>();
    const first: { path: string; code: string; detail: string | undefined }[] = [];
    let count = 0;
    for (let from = prefix; ;) {
      const range = { key: from, rangeEnd: prefixEnd(prefix), limit: PAGE };
      const { kvs, more } = await this.etcd.range(range, call);
      for (const { key, value } of kvs) {
        const { code, detail } = decodeDebt(value);
        count += 1;
        byCode.set(code, (byCode.get(code) ?? 0) + 1);
        if (first.length < NAMED) first.push({ path: key.slice(prefix.length), code, detail });
      }
      const last = kvs.at(-1);
      if (!more || last === undefined) break;
      from = `${last.key}\0`;
    }
    return { count, byCode: Object.fromEntries(byCode), first };
  }

  /** Names of links that have books here: one small read for each. @throws EtcdError */
  async otherLinks(call: EtcdCallOptions): Promise<readonly string[]> {
    const links: string[] = [];
    const end = prefixEnd(BOOKS);
    for (let from = BOOKS; links.length < MAX_LINKS;) {
      const range = { key: from, rangeEnd: end, limit: 1, keysOnly: true };
      const [kv] = (await this.etcd.range(range, call)).kvs;
      const [link] = kv?.key.slice(BOOKS.length).split("/") ?? [];
      if (link === undefined) break;
      links.push(link);
      from = prefixEnd(`${BOOKS}${link}/`);
    }
    return links;
  }
}
