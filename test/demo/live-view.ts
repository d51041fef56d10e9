import { createInterface } from "node:readline";
import { Agent, request } from "undici";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import type { Stored } from "../harness/manifest.js";

/** One event of a watch, and when it arrived here (`performance.now`). */
export interface Sighting {
  readonly kind: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Stored;
  readonly atMs: number;
}

interface Waiting {
  readonly look: (sighting: Sighting) => void;
  readonly end: (error: Error) => void;
}

/** Longer than any wait of the demo: a take-over included. */
const PATIENCE_MS = 15_000;

/**
 * Watches one collection and remembers all that came, so that a moment can be told exactly without looking again and
 * again, also when it is asked for after it has passed.
 */
export class LiveView {
  readonly #sightings: Sighting[] = [];
  readonly #waiting = new Set<Waiting>();
  #ended: Error | undefined;

  private constructor(
    private readonly path: string,
    private readonly agent: Agent,
  ) {}

  /**
   * Resolves when the watch is open; objects that are there already come first, as ADDED.
   * @param path of the collection, `/api/v1/namespaces/shop/services`
   */
  static async open(connection: ClusterConnection, path: string): Promise<LiveView> {
    const agent = new Agent({ connect: { ca: connection.ca }, bodyTimeout: 0 });
    const response = await request(`${connection.server}${path}?watch=true`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${connection.token}` },
    });
    if (response.statusCode !== 200) throw new Error(`watch of ${path}: ${response.statusCode}`);
    const view = new LiveView(path, agent);
    const ended = (): void => view.#end(new Error(`the watch of ${path} ended`));
    createInterface({ input: response.body })
      .on("line", (line) => view.#arrived(line))
      .on("error", ended) // node hands the body's errors on
      .on("close", ended);
    return view;
  }

  /**
   * The first event since a moment that fits, whether it has come already or not.
   * @throws Error that names `what` when none comes within 15 s
   */
  async first(
    what: string,
    sinceMs: number,
    fits: (sighting: Sighting) => boolean,
  ): Promise<Sighting> {
    const isIt = (one: Sighting): boolean => one.atMs >= sinceMs && fits(one);
    const known = this.#sightings.find(isIt);
    if (known !== undefined) return known;
    if (this.#ended !== undefined) throw this.#ended;
    return new Promise((resolve, reject) => {
      const settle = (result: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        result();
      };
      const waiting: Waiting = {
        look: (one) => isIt(one) && settle(() => resolve(one)),
        end: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(() => waiting.end(this.#gaveUp(what)), PATIENCE_MS);
      this.#waiting.add(waiting);
    });
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  #arrived(line: string): void {
    const { type, object } = JSON.parse(line) as { type: Sighting["kind"]; object: Stored };
    const sighting = { kind: type, object, atMs: performance.now() };
    this.#sightings.push(sighting);
    for (const { look } of [...this.#waiting]) look(sighting);
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const { end } of [...this.#waiting]) end(error);
  }

  #gaveUp(what: string): Error {
    const last = this.#sightings
      .slice(-3)
      .map(({ kind, object }) => `${kind} ${object.metadata.name}`);
    return new Error(
      `gave up waiting for ${what} after ${PATIENCE_MS} ms; last seen at ${this.path}: ${last.join(", ") || "nothing"}`,
    );
  }
}
