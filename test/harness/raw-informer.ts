import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, request } from "undici";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";

interface Listed {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Named[];
}

interface Named {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

interface Event {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Named;
}

/** Longer than any test lasts. */
const LAST_WATCH_MS = 120_000;

/**
 * What an informer of client-go does, and nothing that would heal it: one list from the server's cache (resourceVersion=0), then
 * watches that are cut again and again and go on after the last event, without listing anew.
 */
export class RawInformer {
  /** Name -> resourceVersion, as it believes it to be. */
  readonly objects = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #resourceVersion = "0";
  #isCut = true;
  #failure: unknown;

  /** @param path of the collection, without a query */
  constructor(
    private readonly agent: Agent,
    private readonly to: Pick<ClusterConnection, "server" | "token">,
    private readonly path: string,
    private readonly cutEveryMs: number,
  ) {
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#failure = error;
    });
  }

  /** What ended it by itself: the server refused to go on, for instance. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The next watch is the last, and is left in peace: it goes on after the last event like all before it. */
  calm(): void {
    this.#isCut = false;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const list = (await (await this.#get("resourceVersion=0")).json()) as Listed;
    for (const { metadata } of list.items)
      this.objects.set(metadata.name, metadata.resourceVersion);
    this.#resourceVersion = list.metadata.resourceVersion;
    while (!this.#stop.signal.aborted) await this.#watch();
  }

  async #watch(): Promise<void> {
    const cut = new AbortController();
    const timer = this.#cut(cut);
    try {
      const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${this.#resourceVersion}`;
      const body = await this.#get(query, cut.signal);
      let rest = "";
      for await (const chunk of body) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#saw(JSON.parse(line) as Event);
      }
    } catch (error) {
      if (!cut.signal.aborted) throw error;
    }
    await timer;
  }

  /** Aborts when it is time, or at the end. */
  async #cut(cut: AbortController): Promise<void> {
    const { signal } = this.#stop;
    const ms = this.#isCut ? this.cutEveryMs : LAST_WATCH_MS;
    await sleep(ms, undefined, { signal }).catch(() => {});
    cut.abort();
  }

  #saw({ type, object }: Event): void {
    if (type === "ERROR") throw new Error(`the watch ended: ${JSON.stringify(object)}`);
    const { name, resourceVersion } = object.metadata;
    this.#resourceVersion = resourceVersion;
    if (type === "DELETED") this.objects.delete(name);
    else if (type !== "BOOKMARK") this.objects.set(name, resourceVersion);
  }

  async #get(query: string, signal = this.#stop.signal) {
    const { statusCode, body } = await request(`${this.to.server}${this.path}?${query}`, {
      dispatcher: this.agent,
      headers: { authorization: `Bearer ${this.to.token}` },
      signal,
    });
    if (statusCode !== 200) throw new Error(`${statusCode}: ${await body.text()}`);
    return body;
  }
}
