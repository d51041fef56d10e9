import { Pool } from "undici";

/** Where an API server is and how to get in. */
export interface Access {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

/** An event of a watch, as far as the benchmark looks into it. */
export interface Event {
  readonly type: string;
  readonly object: {
    readonly metadata: {
      readonly name: string;
      readonly labels?: Readonly<Record<string, string>>;
    };
    readonly [field: string]: unknown;
  };
}

/** As svc-ferry keeps its own: a connection that sat idle between two rounds is not opened anew. */
const IDLE_MS = 50_000;

/** One API server over keep-alive connections, with as little as possible around undici: it is the bare minimum too. */
export class Api {
  readonly #requests: Pool;
  readonly #watches: Pool;
  readonly #authorization: string;

  constructor(access: Access, connections: number) {
    const common = { connect: { ca: access.ca }, keepAliveTimeout: IDLE_MS };
    this.#requests = new Pool(access.server, { ...common, connections });
    this.#watches = new Pool(access.server, { ...common, bodyTimeout: 0 });
    this.#authorization = `Bearer ${access.token}`;
  }

  /** Resolves with the answer's text. @throws Error with the answer when it is no success */
  async send(
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: object,
  ): Promise<string> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const response = await this.#requests.request({
      method,
      path,
      headers: { authorization: this.#authorization, "content-type": type },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) {
      throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
    }
    return text;
  }

  /**
   * Watches a collection from now on. Resolves when the watch stands; `onEvent` is called until `close`.
   * @param query label or field selector, as in a URL
   * @param onEnd an API server ends the watch of who reads too slowly. Default: what follows would be waited for in vain, and for minutes
   */
  async watch(
    path: string,
    query: string,
    onEvent: (event: Event) => void,
    onEnd: () => void = () => {
      throw new Error(`the watch of ${path} ended: this machine has too much else to do`);
    },
  ): Promise<void> {
    const list = JSON.parse(await this.send("GET", `${path}?limit=1`)) as {
      readonly metadata: { readonly resourceVersion: string };
    };
    const from = `watch=true&resourceVersion=${list.metadata.resourceVersion}`;
    const { statusCode, body } = await this.#watches.request({
      method: "GET",
      path: `${path}?${from}&timeoutSeconds=3600&${query}`,
      headers: { authorization: this.#authorization },
    });
    if (statusCode !== 200) throw new Error(`watch ${path}: ${statusCode} ${await body.text()}`);
    let rest = "";
    body.setEncoding("utf8");
    body.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onEvent(JSON.parse(line) as Event);
    });
    body.on("error", () => {}); // `close` breaks it off
    body.on("end", onEnd);
  }

  async close(): Promise<void> {
    await Promise.all([this.#requests.destroy(), this.#watches.destroy()]);
  }
}

/** Does something with each item, at most `atOnce` at a time. */
export async function each<T>(
  items: Iterable<T>,
  atOnce: number,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
