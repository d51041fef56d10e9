import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";

/** Answers in one piece; an object is sent as JSON. */
export function respond(
  response: ServerResponse,
  status: number,
  body: string | object = "",
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = Buffer.from(typeof body === "object" ? JSON.stringify(body) : body);
  const type = typeof body === "object" ? "application/json" : "text/plain";
  response.writeHead(status, { "content-type": type, "content-length": bytes.length, ...headers });
  response.end(bytes);
}

/** Breaks the connection that a request came on, without an end of the body or of TLS. */
export function breakConnection(incoming: IncomingMessage): void {
  incoming.socket.destroy();
}

/** The headers of an answer whose length is not known, or will change: it is sent in chunks. */
export function withoutLength(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const { "content-length": _, ...others } = headers;
  return others;
}

/** A list as an API server sends it, with no items and no further page, and the resource version it came with. */
export async function emptied(answer: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const list: unknown = JSON.parse(Buffer.concat(chunks).toString());
  if (typeof list !== "object" || list === null || !("metadata" in list)) {
    throw new Error("only a list can be emptied");
  }
  const { resourceVersion } = list.metadata as { readonly resourceVersion?: string };
  return { ...list, metadata: { resourceVersion }, items: [] };
}

/** The first bytes of a body, fewer when it ends before; the rest is not read. */
export async function firstBytes(answer: IncomingMessage, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let have = 0;
  if (count > 0) {
    for await (const chunk of answer) {
      chunks.push(chunk as Buffer);
      have += (chunk as Buffer).length;
      if (have >= count) break;
    }
  }
  return Buffer.concat(chunks).subarray(0, count);
}
