import type { Cluster } from "./cluster.js";
import { CONFIGURATION_KINDS } from "./webhook-configurations.js";

interface Entry {
  readonly clientConfig: { readonly caBundle?: string };
}

/** caBundle of each entry of both webhook configurations of this name, base64; "" where it is blank. */
export async function publishedBundles(cluster: Cluster, name: string): Promise<readonly string[]> {
  const found = await Promise.all(
    CONFIGURATION_KINDS.map(async (kind) => cluster.get(kind, undefined, name)),
  );
  return found
    .flatMap((one) => (one?.["webhooks"] ?? []) as readonly Entry[])
    .map(({ clientConfig }) => clientConfig.caBundle ?? "");
}
