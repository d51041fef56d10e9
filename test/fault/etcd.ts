import type { ControlPlane } from "../controlplane/control-plane.js";

/** Forgets all of etcd's history up to now: no watch goes on from an older version. */
export async function compact({ etcd }: Pick<ControlPlane, "etcd">): Promise<void> {
  const { header } = await call(`${etcd}/v3/kv/range`, { key: "Lw==", limit: "1" });
  await call(`${etcd}/v3/kv/compaction`, { revision: header.revision, physical: true });
}

/** etcd's JSON gateway: 64-bit numbers are strings, keys base64. */
async function call(
  url: string,
  body: object,
): Promise<{ readonly header: { readonly revision: string } }> {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { readonly header: { readonly revision: string } };
}
