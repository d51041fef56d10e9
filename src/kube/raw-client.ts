/** Plain questions to an API server, answered as they come. */

import type { RawAnswer, RawApi, RawRequest } from "../ports/raw-api.js";
import { parseHttpDate } from "../ports/timestamps.js";
import type { Call } from "./call.js";
import { parseJson } from "./json.js";
import type { Transport } from "./transport.js";

/** What its method promises stands at RawApi. */
export class RawClient implements RawApi {
  constructor(private readonly transport: Transport) {}

  async ask({ method, path, body }: RawRequest, signal: AbortSignal): Promise<RawAnswer> {
    const call: Call = {
      verb: method === "GET" ? "get" : "create",
      method,
      path,
      target: path,
      accept: "application/json, */*",
      ...(body === undefined ? {} : { contentType: "application/json", body }),
      signal,
      priority: "live",
    };
    const answer = await this.transport.ask(call);
    const text = answer.body.toString("utf8");
    const moment = answer.headers["date"];
    return {
      status: answer.status,
      body: parseJson(text) ?? text,
      dateMs: typeof moment === "string" ? parseHttpDate(moment) : undefined,
    };
  }
}
