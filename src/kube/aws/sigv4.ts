/**
 * Signature Version 4: how a request to AWS proves who sends it. Source: AWS IAM User Guide, "Create a signed AWS API
 * request"; the tests hold AWS's published examples against it.
 */
import { createHash, createHmac } from "node:crypto";
import { rfc3339 } from "../../ports/timestamps.js";
import type { AwsKeys } from "./keys.js";

/** A request as it is signed. Names and values as they are, nothing encoded yet. */
export interface Signable {
  readonly method: "GET" | "POST";
  readonly host: string;
  /** Begins with a slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names; without host, which is always signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hex SHA-256 of the body, or the word that a service takes in its place. */
  readonly payload: string;
}

/** For whom and when a signature holds. */
export interface Scope {
  readonly region: string;
  readonly service: string;
  /** Wall clock. */
  readonly nowMs: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** Hex SHA-256 of a body. */
export function payloadOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** The URL that carries its own signature: whoever has it may send this one request for `expiresSeconds`. Secret. */
export function presignedUrl(
  request: Signable,
  scope: Scope,
  keys: AwsKeys,
  expiresSeconds: number,
): string {
  const query = {
    ...request.query,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${keys.accessKeyId}/${scopeText(scope)}`,
    "X-Amz-Date": basicTime(scope.nowMs),
    "X-Amz-Expires": String(expiresSeconds),
    ...(keys.sessionToken !== undefined && { "X-Amz-Security-Token": keys.sessionToken }),
    "X-Amz-SignedHeaders": signedNames(request),
  };
  const signature = sign({ ...request, query }, scope, keys);
  return `https://${request.host}${request.path}?${canonicalQuery(query)}&X-Amz-Signature=${signature}`;
}

/** The headers to send beside the request's own. Secret. */
export function signedHeaders(
  request: Signable,
  scope: Scope,
  keys: AwsKeys,
): Readonly<Record<string, string>> {
  const added = {
    "x-amz-date": basicTime(scope.nowMs),
    ...(keys.sessionToken !== undefined && { "x-amz-security-token": keys.sessionToken }),
  };
  const whole = { ...request, headers: { ...request.headers, ...added } };
  const signature = sign(whole, scope, keys);
  const credential = `${keys.accessKeyId}/${scopeText(scope)}`;
  const authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedNames(whole)}, Signature=${signature}`;
  return { ...added, authorization };
}

function sign(request: Signable, scope: Scope, keys: AwsKeys): string {
  const canonical = [
    request.method,
    encoded(request.path).replaceAll("%2F", "/"),
    canonicalQuery(request.query),
    ...headersOf(request).map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, " ")}`),
    "",
    signedNames(request),
    request.payload,
  ].join("\n");
  const toSign = [ALGORITHM, basicTime(scope.nowMs), scopeText(scope), payloadOf(canonical)].join(
    "\n",
  );
  return hmac(signingKey(scope, keys), toSign).toString("hex");
}

function signingKey(scope: Scope, keys: AwsKeys): Buffer {
  return scopeText(scope)
    .split("/")
    .reduce(hmac, Buffer.from(`AWS4${keys.secretAccessKey}`));
}

function scopeText({ region, service, nowMs }: Scope): string {
  return `${basicTime(nowMs).slice(0, 8)}/${region}/${service}/aws4_request`;
}

function headersOf({ host, headers }: Signable): readonly (readonly [string, string])[] {
  return Object.entries({ ...headers, host }).sort(([a], [b]) => (a < b ? -1 : 1));
}

function signedNames(request: Signable): string {
  return headersOf(request)
    .map(([name]) => name)
    .join(";");
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");
}

/** RFC 3986: stricter than encodeURIComponent, which leaves five more characters alone. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** "20240115T103045Z". */
function basicTime(ms: number): string {
  return rfc3339(ms).replaceAll(/[-:]|\.\d+/g, "");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
