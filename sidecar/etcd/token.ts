/** The token of a user, fetched once for all callers and again when the server no longer takes it. */
import type { Connection } from "./connection.js";
import { EtcdError } from "./etcd.js";
import type { EtcdOptions, EtcdUser } from "./options.js";
import { authenticateRequest } from "./requests.js";
import { authenticateResponse } from "./responses.js";

export class Token {
  #current: Promise<string> | undefined;
  /** What was fetched last, until it is refused. */
  #fetched: string | undefined;

  constructor(private readonly options: Pick<EtcdOptions, "user" | "callTimeoutMs">) {}

  /** There is a user. */
  get isNeeded(): boolean {
    return this.options.user !== undefined;
  }

  /**
   * undefined without a user.
   * @throws CallFailed as Authenticate failed; EtcdError auth when there is no password to log in with
   */
  async on(member: LogsIn): Promise<string | undefined> {
    const { user } = this.options;
    if (user === undefined) return undefined;
    const fetching = (this.#current ??= this.#fetch(user, member));
    try {
      return await fetching;
    } catch (error) {
      if (this.#current === fetching) this.#current = undefined;
      throw error;
    }
  }

  /**
   * The next caller fetches another, unless one has come, or is on its way, since: many calls are refused at once, and each login
   * costs the server a bcrypt.
   * @param token the one that was used
   */
  refused(token: string | undefined): void {
    if (token === undefined || token !== this.#fetched) return;
    this.#fetched = undefined;
    this.#current = undefined;
  }

  /** Nobody's call: whoever gives up must not take the token from the others. */
  async #fetch(user: EtcdUser, { calls }: LogsIn): Promise<string> {
    const token = await calls.unary({
      method: "Auth/Authenticate",
      request: authenticateRequest(user.name, await passwordOf(user)),
      decode: authenticateResponse,
      token: undefined,
      timeoutMs: this.options.callTimeoutMs,
      signal: new AbortController().signal,
    });
    this.#fetched = token;
    return token;
  }
}

/** What is needed of a Member. */
interface LogsIn {
  readonly calls: Pick<Connection, "unary">;
}

async function passwordOf({ name, password }: EtcdUser): Promise<string> {
  try {
    return await password();
  } catch (cause) {
    throw new EtcdError("auth", `the password of ${name} cannot be read`, { cause });
  }
}
