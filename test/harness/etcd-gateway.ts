/** What lies in an etcd, read through its JSON gateway: apart from the client that the product has. */

interface GatewayKeyValue {
  /** Base64. */
  readonly key: string;
  readonly value?: string;
}

/** The keys that begin with a text. @param etcd URL without a path */
export async function keysIn(etcd: string, prefix: string): Promise<readonly string[]> {
  const kvs = await range(etcd, { key: prefix, range_end: after(prefix), keys_only: true });
  return kvs.map(({ key }) => decoded(key).toString());
}

/** Keys that begin with a text, with their values, from one read. */
export async function valuesIn(
  etcd: string,
  prefix: string,
): Promise<readonly (readonly [string, Buffer])[]> {
  const kvs = await range(etcd, { key: prefix, range_end: after(prefix) });
  return kvs.map(({ key, value }) => [decoded(key).toString(), decoded(value)] as const);
}

/** Empty when there is no such key. */
export async function valueOf(etcd: string, key: string): Promise<Buffer> {
  const [found] = await range(etcd, { key });
  return decoded(found?.value);
}

async function range(
  etcd: string,
  { key, range_end, ...rest }: { key: string; range_end?: string; keys_only?: boolean },
): Promise<readonly GatewayKeyValue[]> {
  const ends = range_end === undefined ? {} : { range_end: encoded(range_end) };
  const answer = await fetch(`${etcd}/v3/kv/range`, {
    method: "POST",
    body: JSON.stringify({ ...rest, key: encoded(key), ...ends }),
  });
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${await answer.text()}`);
  const { kvs } = (await answer.json()) as { kvs?: readonly GatewayKeyValue[] };
  return kvs ?? [];
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}

function decoded(base64 = ""): Buffer {
  return Buffer.from(base64, "base64");
}

/** The first text that is greater than all that begin with `prefix`. */
function after(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return `${prefix.slice(0, -1)}${String.fromCharCode(last + 1)}`;
}
