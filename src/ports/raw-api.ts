/** Questions to an API server that are about no stored object: its version, its health, what somebody may do, a token. */

export interface RawRequest {
  readonly method: "GET" | "POST";
  /** Begins with a slash; without a query. Made of constants and names that were checked. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface RawAnswer {
  readonly status: number;
  /** Parsed JSON; the text itself where it is none. */
  readonly body: unknown;
  /** The `Date` header, ms since the epoch in whole seconds; undefined: none was sent. */
  readonly dateMs: number | undefined;
}

export interface RawApi {
  /** The answer, whatever its status. @throws RetryableError FERRY-K001, -K002, -K005 when there is none */
  ask(request: RawRequest, signal: AbortSignal): Promise<RawAnswer>;
}
