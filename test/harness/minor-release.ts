import type { Cluster } from "./cluster.js";

/** Which Kubernetes a cluster's API server is: 36 of 1.36. */
export async function minorRelease(cluster: Cluster): Promise<number> {
  const { body } = await cluster.request("GET", "/version");
  return Number((body as { readonly minor: string }).minor);
}
