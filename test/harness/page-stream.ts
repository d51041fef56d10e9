import { waitFor } from "./wait-for.js";

/** Follows the stream of a page as a browser does, and keeps what arrived. */
export class PageStream {
  readonly #closing = new AbortController();
  #text = "";

  /** @param origin "http://127.0.0.1:8080" */
  constructor(origin: string) {
    // Ends with the abort.
    void this.#read(origin).catch(() => undefined);
  }

  /** Everything that arrived. */
  get text(): string {
    return this.#text;
  }

  async until(what: string): Promise<void> {
    await waitFor(() => this.#text.includes(what), { what: `the page to say "${what}"` });
  }

  stop(): void {
    this.#closing.abort();
  }

  async #read(origin: string): Promise<void> {
    const { signal } = this.#closing;
    const response = await fetch(new URL("/page.events", origin), { signal });
    for await (const chunk of response.body ?? []) this.#text += Buffer.from(chunk).toString();
  }
}
