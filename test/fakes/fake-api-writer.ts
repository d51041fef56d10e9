/** An API server as the mirror's writer sees it, over an etcd in memory: it gives uids of its own and deletes by uid. */
import type {
  ApiApplied,
  ApiObject,
  ApiRemoved,
  ApiWriter,
  RemovePreconditions,
} from "../../sidecar/api/api-writer.js";
import { transaction } from "../../sidecar/etcd/transaction.js";
import type { StoredObject } from "../../sidecar/wire/stored-object.js";
import type { FakeEtcd } from "./fake-etcd.js";

const FOREVER = new AbortController().signal;

export class FakeApiWriter implements ApiWriter {
  /** What was asked for, in order. */
  readonly calls: string[] = [];
  isDown = false;
  #uids = 0;

  constructor(private readonly etcd: FakeEtcd) {}

  async apply(target: ApiObject, source: StoredObject): Promise<ApiApplied> {
    if (this.isDown) return { kind: "unavailable", detail: "down" };
    const key = keyOf(target);
    this.calls.push(`apply ${key}`);
    const before = this.#stored(key);
    const uid = before === undefined ? `api-${(this.#uids += 1)}` : uidOf(before);
    const object = JSON.parse(source.bytes.toString());
    const value = Buffer.from(
      JSON.stringify({ ...object, metadata: { ...object.metadata, uid } }),
      "utf8",
    );
    const put = { kind: "put", key, value } as const;
    const { header } = await this.etcd.txn(transaction([], [put], []), { signal: FOREVER });
    return { kind: "applied", uid, resourceVersion: String(header.revision), written: true };
  }

  async remove(target: ApiObject, only: RemovePreconditions): Promise<ApiRemoved> {
    if (this.isDown) return { kind: "unavailable", detail: "down" };
    const key = keyOf(target);
    const before = this.#stored(key);
    if (before === undefined) return { kind: "removed" };
    if (uidOf(before) !== only.uid) return { kind: "changed" };
    this.calls.push(`remove ${key}`);
    const op = { kind: "delete", key } as const;
    await this.etcd.txn(transaction([], [op], []), { signal: FOREVER });
    return { kind: "removed" };
  }

  async release(target: ApiObject): Promise<ApiRemoved> {
    this.calls.push(`release ${keyOf(target)}`);
    return { kind: "removed" };
  }

  #stored(key: string): string | undefined {
    return this.etcd.store.get(key)?.value.toString();
  }
}

function keyOf({ resource, namespace, name }: ApiObject): string {
  const at = namespace === undefined ? name : `${namespace}/${name}`;
  return `/registry/${resource.path}/${at}`;
}

function uidOf(text: string): string {
  return String(JSON.parse(text).metadata.uid);
}
