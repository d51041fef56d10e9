import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import type { ClusterConnection } from "./kubeconfig.js";

/** Generous: two cores may be shared with a compiler. */
const READY_WITHIN_MS = 90_000;

/**
 * Waits until all paths answer 200, asking every 25 ms.
 * @param stillAlive throws when waiting has become pointless
 * @throws Error with the last answer after 90 s
 */
export async function untilFound(
  cluster: Pick<ClusterConnection, "server" | "ca" | "token">,
  paths: readonly string[],
  stillAlive: () => void,
): Promise<void> {
  const agent = new Agent({ connect: { ca: cluster.ca, timeout: 2_000 }, bodyTimeout: 10_000 });
  try {
    for (const path of paths) {
      const probe = async (): Promise<string | undefined> =>
        answer(agent, `${cluster.server}${path}`, cluster.token);
      await until(probe, stillAlive);
    }
  } finally {
    await agent.destroy();
  }
}

/** The same for etcd, which is ready when a member has been elected; a full one (alarm NOSPACE) is ready too. */
export async function untilEtcdHealthy(
  url: string,
  stillAlive: () => void,
  { isLearner }: { readonly isLearner: boolean } = { isLearner: false },
): Promise<void> {
  const agent = new Agent({ connect: { timeout: 2_000 } });
  const path = `/health?exclude=NOSPACE${isLearner ? "&serializable=true" : ""}`;
  try {
    await until(async () => answer(agent, `${url}${path}`), stillAlive);
  } finally {
    await agent.destroy();
  }
}

/** @param probe what is missing, undefined when nothing is */
async function until(
  probe: () => Promise<string | undefined>,
  stillAlive: () => void,
): Promise<void> {
  const giveUpAt = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const missing = await probe();
    if (missing === undefined) return;
    stillAlive();
    if (performance.now() > giveUpAt) {
      throw new Error(`not ready after ${READY_WITHIN_MS / 1000} s: ${missing}`);
    }
    await sleep(25);
  }
}

async function answer(agent: Agent, url: string, token?: string): Promise<string | undefined> {
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await request(url, { dispatcher: agent, headers, headersTimeout: 5_000 });
    const text = await response.body.text();
    return response.statusCode === 200 ? undefined : `${url}: ${response.statusCode} ${text}`;
  } catch (error) {
    return `${url}: ${String(error)}`;
  }
}
