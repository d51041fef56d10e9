/** One question to a service that gives credentials. */
import { Client } from "undici";
import type { Clock } from "../../ports/clock.js";
import { withTimeLimit } from "../time-limit.js";

export interface AwsQuestion {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly limitMs: number;
}

export interface AwsAnswer {
  readonly status: number;
  readonly text: string;
  /** The header, to find out about clocks. */
  readonly date: string;
}

/** More than any answer of these services has; a stranger at the address must not fill the memory. */
const MAX_ANSWER_CHARS = 1_048_576;

/** @throws Error that says why no answer came, without what was asked */
export async function askAws(clock: Clock, question: AwsQuestion): Promise<AwsAnswer> {
  const { host } = new URL(question.url);
  return withTimeLimit(
    clock,
    question.limitMs,
    async (signal) => ask(host, question, signal),
    (cause) => new Error(`${host} gave no answer within ${question.limitMs / 1000} s`, { cause }),
  );
}

async function ask(host: string, question: AwsQuestion, signal: AbortSignal): Promise<AwsAnswer> {
  const { method, url, headers, body } = question;
  const { origin, pathname, search } = new URL(url);
  const content = {
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
  };
  // Once an hour: there is no connection to keep.
  const client = new Client(origin);
  try {
    const path = pathname + search;
    const response = await client.request({ method, path, ...content, signal });
    const text = await limited(response.body);
    return { status: response.statusCode, text, date: String(response.headers["date"] ?? "") };
  } catch (error) {
    throw new Error(`${host} cannot be reached: ${reason(error)}`, { cause: error });
  } finally {
    await client.destroy();
  }
}

async function limited(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of body) {
    text += chunk.toString("utf8");
    if (text.length > MAX_ANSWER_CHARS) throw new Error("the answer is too long");
  }
  return text;
}

/** Node's AggregateError of several addresses has no text of its own. */
function reason(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
