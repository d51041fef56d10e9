/** The token of a user, fetched once for all callers and again when the server no longer takes it. */
import type { Member } from "./endpoints.js";
import type { EtcdOptions } from "./options.js";
import { authenticateRequest } from "./requests.js";
import { authenticateResponse } from "./responses.js";

export class Token {
  #current: Promise<string> | undefined;

  constructor(private readonly options: Pick<EtcdOptions, "user" | "callTimeoutMs">) {}

  /** There is a user. */
  get isNeeded(): boolean {
    return this.options.user !== undefined;
  }

  /**
   * undefined without a user.
   * @throws CallFailed as Authenticate failed
   */
  async on(member: Member): Promise<string | undefined> {
    if (!this.isNeeded) return undefined;
    const fetching = (this.#current ??= this.#fetch(member));
    try {
      return await fetching;
    } catch (error) {
      this.refused(fetching);
      throw error;
    }
  }

  /** The next caller fetches another, unless one has come since. */
  refused(token: Promise<string> | undefined = this.#current): void {
    if (this.#current === token) this.#current = undefined;
  }

  /** Nobody's call: whoever gives up must not take the token from the others. */
  async #fetch({ calls }: Member): Promise<string> {
    const { user, callTimeoutMs } = this.options;
    return calls.unary({
      method: "Auth/Authenticate",
      request: authenticateRequest(user?.name ?? "", user?.password ?? ""),
      decode: authenticateResponse,
      token: undefined,
      timeoutMs: callTimeoutMs,
      signal: new AbortController().signal,
    });
  }
}
