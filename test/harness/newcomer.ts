import { webhookPort } from "./admission-door.js";
import type { Cluster } from "./cluster.js";
import type { FerryRun } from "./ferry-run.js";
import { handshake } from "./handshake.js";
import { publishedBundles } from "./published-bundle.js";

/** An API server that has just started: it connects anew each time, where one that runs keeps its connections. */
export class Newcomer {
  constructor(
    private readonly cluster: Cluster,
    /** Of both webhook configurations. */
    private readonly configuration: string,
  ) {}

  /** Why what a replica shows does not fit a caBundle of this moment; one that is blank says nothing. */
  async refusal(replica: FerryRun): Promise<string | undefined> {
    const port = await webhookPort(replica);
    for (const bundle of new Set(await this.#bundles())) {
      const error = bundle === "" ? undefined : await handshake(port, decoded(bundle));
      const isStill = error !== undefined && (await this.#bundles()).includes(bundle);
      if (isStill) return `${replica.podName}: ${error}`;
    }
    return undefined;
  }

  async #bundles(): Promise<readonly string[]> {
    return publishedBundles(this.cluster, this.configuration);
  }
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}
