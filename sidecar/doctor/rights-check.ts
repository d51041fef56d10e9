/**
 * Whether the etcd's user may do what the mirror does, and no more than that.
 *
 * Whether it may write is asked without writing: a transaction whose condition never holds. etcd asks for the rights of both of its
 * branches before it looks at the condition, and what holds never is never carried out. Source: etcd server/etcdserver/txn
 * CheckTxnAuth.
 */
import { fail, ok, warn, type Check, type Outcome } from "../../src/doctor/check.js";
import { EtcdError, prefixEnd, type Etcd } from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import { BOOKS } from "../link/keyspace.js";
import { etcdCheck, type EtcdSubject } from "./etcd-subject.js";

/** Below a prefix; nobody ever writes it. */
const PROBE = "svc-ferry/probe";
/** Outside of every prefix: the API server's word that it compacts. */
const COMPACTION = "compact_rev_key";

export function rightsCheck(subject: EtcdSubject): Check {
  return etcdCheck(subject, {
    id: "etcd-rights",
    after: ["etcd"],
    ask: (etcd, signal) => rights(new Asking(etcd, signal), subject),
  });
}

async function rights(asking: Asking, { access }: EtcdSubject): Promise<Outcome> {
  const prefix = `${access.kubePrefix}/`;
  const isSource = access.name === "source";
  const missing = await asking.missing(prefix, isSource);
  if (missing.length > 0) {
    const [first] = missing;
    return fail(
      `${who(access)} may not ${missing.map(({ text }) => text).join(", ")}`,
      {
        text: `grant ROLE, which is the user's, exactly this`,
        command: `etcdctl role grant-permission ROLE ${first?.grant ?? ""}`,
      },
      "permission",
    );
  }
  if (access.user === undefined) {
    return ok("no user is named: without auth whoever reaches this etcd may do everything");
  }
  if (isSource && (await asking.mayWrite(prefix))) {
    return warn(`${who(access)} may write below ${prefix}, and a source is only read`, {
      text: "give the mirror a user of its own that may read alone",
    });
  }
  return ok(`${who(access)} has the rights that the mirror needs`);
}

function who({ user }: EtcdSubject["access"]): string {
  return user === undefined ? "whoever asks" : `user ${user.name}`;
}

/** One right that is not there. */
interface Missing {
  readonly text: string;
  /** Arguments of etcdctl behind the role. */
  readonly grant: string;
}

class Asking {
  constructor(
    private readonly etcd: Etcd,
    private readonly signal: AbortSignal,
  ) {}

  async missing(prefix: string, isSource: boolean): Promise<readonly Missing[]> {
    const rights: Missing[] = [];
    for (const one of [prefix, BOOKS]) {
      const word = isSource ? "read" : "readwrite";
      const isThere = (await this.#mayRead(one)) && (isSource || (await this.mayWrite(one)));
      if (!isThere) {
        const text = isSource ? `read below ${one}` : `read and write below ${one}`;
        rights.push({ text, grant: `--prefix=true ${word} ${one}` });
      }
    }
    if (!isSource && !(await this.#mayRead(COMPACTION, false))) {
      rights.push({ text: `read ${COMPACTION}`, grant: `read ${COMPACTION}` });
    }
    return rights;
  }

  mayWrite(prefix: string): Promise<boolean> {
    const key = `${prefix}${PROBE}`;
    const never = { key, target: "version", is: "<", value: 0n } as const;
    const write = { kind: "put", key, value: Buffer.alloc(0) } as const;
    return this.#may(async (call) => this.etcd.txn(transaction([never], [write], []), call));
  }

  #mayRead(key: string, isPrefix = true): Promise<boolean> {
    const rangeEnd = isPrefix ? prefixEnd(key) : undefined;
    return this.#may(async (call) =>
      this.etcd.range({ key, rangeEnd, limit: 1, keysOnly: true }, call),
    );
  }

  async #may(ask: (call: { readonly signal: AbortSignal }) => Promise<unknown>): Promise<boolean> {
    try {
      await ask({ signal: this.signal });
      return true;
    } catch (error) {
      if (error instanceof EtcdError && error.kind === "permission") return false;
      throw error;
    }
  }
}
