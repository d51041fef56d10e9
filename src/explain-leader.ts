import type { Answer } from "./cli/read-status.js";
import type { Config } from "./config/config.js";
import { failureOf, type OpenedCluster } from "./explain-world.js";

/** The status of the pod that leads, by way of its API server. Never rejects: without it there is less to say. */
export async function leaderStatus(
  open: (cluster: Config["source"]) => Promise<OpenedCluster>,
  { source, lease, http }: Config,
  pod: string,
): Promise<Answer> {
  const { signal } = new AbortController();
  const at = { namespace: lease.namespace, name: pod, port: http.port };
  try {
    const cluster = await open(source);
    try {
      const answer = await cluster.pods?.get(at, "/status", signal);
      if (answer === undefined) return { kind: "unreachable", reason: "there is no way to pods" };
      return { kind: "answer", ...answer };
    } finally {
      await cluster.close();
    }
  } catch (error) {
    return { kind: "unreachable", reason: failureOf(error).message };
  }
}
