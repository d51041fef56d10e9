import { createInterface } from "node:readline";
import { Agent, request } from "undici";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import type { Stored } from "./manifest.js";

/** One event of a watch, as the API server told it. */
export interface WatchedChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Stored;
}

/** Every change of one collection from a moment on, in the API server's order: nothing between two looks is missed. */
export class ChangeWatch {
  readonly changes: WatchedChange[] = [];
  #broken = false;

  private constructor(private readonly agent: Agent) {}

  /**
   * Resolves when the watch is open; objects that are there already come first, as ADDED.
   * @param path of the collection, `/api/v1/namespaces/shop/services`
   */
  static async open({ server, ca, token }: ClusterConnection, path: string): Promise<ChangeWatch> {
    const agent = new Agent({ connect: { ca }, bodyTimeout: 0 });
    const response = await request(`${server}${path}?watch=true`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}` },
    });
    if (response.statusCode !== 200) throw new Error(`watch of ${path}: ${response.statusCode}`);
    const watch = new ChangeWatch(agent);
    const broken = (): void => void (watch.#broken = true);
    createInterface({ input: response.body })
      .on("line", (line) => watch.changes.push(JSON.parse(line) as WatchedChange))
      .on("error", broken) // node hands the body's errors on
      .on("close", broken);
    return watch;
  }

  /** @throws Error when it did not see everything until now */
  async close(): Promise<readonly WatchedChange[]> {
    if (this.#broken) throw new Error("the watch ended too early");
    await this.agent.destroy();
    return this.changes;
  }
}
