/** One question to a service that gives credentials. */
import { request } from "undici";
import type { Clock } from "../../ports/clock.js";

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
  const { method, url, headers, body, limitMs } = question;
  const answered = new AbortController();
  const late = new AbortController();
  const limit = clock.sleep(limitMs, answered.signal).then(() => {
    if (!answered.signal.aborted) late.abort();
  });
  try {
    const response = await request(url, {
      method,
      ...(headers !== undefined && { headers }),
      ...(body !== undefined && { body }),
      signal: late.signal,
    });
    const text = await limited(response.body);
    return { status: response.statusCode, text, date: String(response.headers["date"] ?? "") };
  } catch (error) {
    const { host } = new URL(url);
    throw late.signal.aborted
      ? new Error(`${host} gave no answer within ${limitMs / 1000} s`, { cause: error })
      : new Error(`${host} cannot be reached: ${reason(error)}`, { cause: error });
  } finally {
    answered.abort();
    await limit;
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
