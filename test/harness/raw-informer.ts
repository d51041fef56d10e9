import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, type Dispatcher, request } from "undici";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";

interface Listed {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Named[];
}

interface Named {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

interface Status {
  readonly code: number;
}

interface Event {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Named;
}

/** Longer than any test lasts. */
const LAST_WATCH_MS = 120_000;
/** Until a server is asked again that was too busy for an answer. */
const BUSY_PAUSE_MS = 100;
const GONE = 410;
const TOO_MANY_REQUESTS = 429;
const INTERNAL_ERROR = 500;

/** What it asked for lies before what the server still knows: an informer of client-go would list anew now, and be healed. */
class ExpiredError extends Error {}

/**
 * What an informer of client-go does, and nothing that would heal it: one list from the server's cache (resourceVersion=0), then
 * watches that are cut again and again and go on after the last event, without listing anew. A server that is too busy is asked
 * again, as client-go does.
 */
export class RawInformer {
  /** Name -> resourceVersion, as it believes it to be. */
  readonly objects = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #resourceVersion = "0";
  #isCut = true;
  #hasExpired = false;
  #failure: unknown;

  /** @param path of the collection, without a query */
  constructor(
    private readonly agent: Agent,
    private readonly to: Pick<ClusterConnection, "server" | "token">,
    private readonly path: string,
    private readonly cutEveryMs: number,
  ) {
    this.#running = this.#run().catch((error: unknown) => {
      if (this.#stop.signal.aborted) return;
      if (error instanceof ExpiredError) this.#hasExpired = true;
      else this.#failure = error;
    });
  }

  /** It ended because only a new list could help; what it believes says nothing then. */
  get hasExpired(): boolean {
    return this.#hasExpired;
  }

  /** What else ended it by itself. */
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
    const list = (await (await this.#get("resourceVersion=0", this.#stop.signal)).json()) as Listed;
    for (const { metadata } of list.items)
      this.objects.set(metadata.name, metadata.resourceVersion);
    this.#resourceVersion = list.metadata.resourceVersion;
    while (!this.#stop.signal.aborted) await this.#watch();
  }

  /** Until it is cut, or the server ends it: it does that to watches that do not keep up. */
  async #watch(): Promise<void> {
    const cut = new AbortController();
    const over = new AbortController();
    const timer = this.#cut(cut, AbortSignal.any([this.#stop.signal, over.signal]));
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
    } finally {
      over.abort();
      await timer;
    }
  }

  /** Aborts when it is time, or at the end. */
  async #cut(cut: AbortController, over: AbortSignal): Promise<void> {
    const ms = this.#isCut ? this.cutEveryMs : LAST_WATCH_MS;
    await sleep(ms, undefined, { signal: over }).catch(() => {});
    cut.abort();
  }

  #saw({ type, object }: Event): void {
    if (type === "ERROR") throw ended(JSON.stringify(object), (object as Partial<Status>).code);
    const { name, resourceVersion } = object.metadata;
    this.#resourceVersion = resourceVersion;
    if (type === "DELETED") this.objects.delete(name);
    else if (type !== "BOOKMARK") this.objects.set(name, resourceVersion);
  }

  async #get(query: string, signal: AbortSignal): Promise<Dispatcher.ResponseData["body"]> {
    for (;;) {
      const { statusCode, body } = await request(`${this.to.server}${this.path}?${query}`, {
        dispatcher: this.agent,
        headers: { authorization: `Bearer ${this.to.token}` },
        signal,
      });
      if (statusCode === 200) return body;
      const text = await body.text();
      const isBusy = statusCode === TOO_MANY_REQUESTS || statusCode >= INTERNAL_ERROR;
      if (!isBusy) throw ended(text, statusCode);
      await sleep(BUSY_PAUSE_MS, undefined, { signal });
    }
  }
}

function ended(text: string, code: number | undefined): Error {
  return code === GONE ? new ExpiredError(text) : new Error(`the watch ended: ${text}`);
}
