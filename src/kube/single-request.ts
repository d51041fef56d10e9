/** Requests with a credential that is not in use (yet), each over a connection of its own. */
import { Client } from "undici";
import type { Clock } from "../ports/clock.js";
import { RetryableError } from "../ports/errors.js";
import { poolOptions } from "./connections.js";
import type { Credential } from "./credential.js";
import type { Answer } from "./status.js";
import { withTimeLimit } from "./time-limit.js";

export interface SingleRequest {
  readonly method: "GET" | "POST";
  /** Below the API's root, with a slash in front. */
  readonly path: string;
  readonly body?: object;
}

/** Handshake and answer of a healthy server take milliseconds; nobody waits for these but a change of credentials. */
const LIMIT_MS = 10_000;

export class SingleRequests {
  constructor(
    private readonly userAgent: string,
    private readonly clock: Clock,
  ) {}

  /** The server's answer, whatever it says. @throws RetryableError FERRY-K001, -K002 */
  async ask(credential: Credential, question: SingleRequest): Promise<Answer> {
    const where = `${credential.origin}: ${question.method} ${question.path}`;
    const client = new Client(credential.origin, poolOptions(credential, LIMIT_MS * 2));
    try {
      return await withTimeLimit(
        this.clock,
        LIMIT_MS,
        async (signal) => this.#ask(client, credential, question, signal),
        (cause) => new RetryableError("FERRY-K002", `${where}: no answer`, { cause }),
      );
    } catch (error) {
      if (error instanceof RetryableError) throw error;
      const why = error instanceof Error ? error.message : "no answer";
      throw new RetryableError("FERRY-K001", `${where}: ${why}`, { cause: error });
    } finally {
      await client.destroy();
    }
  }

  async #ask(
    client: Client,
    credential: Credential,
    { method, path, body }: SingleRequest,
    signal: AbortSignal,
  ): Promise<Answer> {
    const {
      statusCode,
      headers,
      body: bytes,
    } = await client.request({
      method,
      path: credential.basePath + path,
      headers: [
        "accept",
        "application/json",
        "user-agent",
        this.userAgent,
        ...(body === undefined ? [] : ["content-type", "application/json"]),
        ...credential.headers,
      ],
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
    return { status: statusCode, headers, body: Buffer.from(await bytes.arrayBuffer()) };
  }
}
