/** What a request carries to be let in, as values. */

import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import type { ExecCredential } from "./exec-plugin.js";
import { isRecord, text } from "./json.js";
import { type Life, lifeOfCertificate, lifeOfToken, shortest } from "./life.js";

/** TLS settings in the words of node:tls. */
interface TlsSettings {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Where requests go and as whom. */
export interface Credential {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path below which the API lies, without a slash at its end; "" almost always. */
  readonly basePath: string;
  /** Names and values in turn. Secret. */
  readonly headers: readonly string[];
  readonly tls: TlsSettings;
  /** undefined: as far as can be seen it has no end. */
  readonly life: Life | undefined;
  /** Differs when connections made for another credential must not be used. */
  readonly connectionId: string;
  /** Differs when anything differs. */
  readonly id: string;
}

/**
 * Brings together what client-node found (`options`) and what a token file or a plugin gave (`fresh`, which wins).
 * `server` is the kubeconfig's, already checked to be a URL.
 */
export function credentialOf(
  server: string,
  options: RequestOptions,
  fresh: Partial<ExecCredential>,
): Credential {
  const { origin, pathname } = new URL(server);
  const basePath = pathname.replace(/\/+$/, "");
  const headers = headersOf(options, fresh.token);
  const tls = tlsOf(options, fresh);
  const strict = String(tls.rejectUnauthorized);
  const connectionId = digest([origin, tls.ca, tls.cert, tls.key, tls.servername, strict]);
  const id = digest([connectionId, basePath, ...headers]);
  const life = shortest([
    lifeOfToken(bearerOf(headers) ?? ""),
    tls.cert === undefined ? undefined : lifeOfCertificate(tls.cert),
  ]);
  return { origin, basePath, headers, tls, life, connectionId, id };
}

/** The same access with another bearer token, which lives as long as whoever issued it said. */
export function withToken(credential: Credential, token: string, life: Life): Credential {
  const { basePath, connectionId, tls } = credential;
  const at = credential.headers.indexOf("authorization");
  const others = at === -1 ? credential.headers : credential.headers.toSpliced(at, 2);
  const headers = [...others, "authorization", `Bearer ${token}`];
  const id = digest([connectionId, basePath, ...headers]);
  const certificate = tls.cert === undefined ? undefined : lifeOfCertificate(tls.cert);
  return { ...credential, headers, id, life: shortest([life, certificate]) };
}

/** undefined when it holds none. Secret. */
export function bearerOf(headers: readonly string[]): string | undefined {
  const value = headers[headers.indexOf("authorization") + 1];
  return headers.includes("authorization") && value?.startsWith("Bearer ") === true
    ? value.slice("Bearer ".length)
    : undefined;
}

function headersOf(options: RequestOptions, token: string | undefined): readonly string[] {
  // client-node makes a plain object with one Authorization at most; the type allows more.
  const { Authorization: own, ...others } = isRecord(options.headers) ? options.headers : {};
  const given = Object.entries(others).flatMap(([name, value]) => [
    name.toLowerCase(),
    text(value),
  ]);
  const bearer = token === undefined ? text(own).trim() : `Bearer ${token.trim()}`;
  const basic = options.auth == null ? "" : `Basic ${base64(options.auth)}`;
  const chosen = bearer === "" ? basic : bearer;
  return chosen === "" ? given : [...given, "authorization", chosen];
}

function tlsOf(options: RequestOptions, fresh: Partial<ExecCredential>): TlsSettings {
  const { ca, rejectUnauthorized, servername } = options;
  const cert = fresh.cert ?? options.cert;
  const key = fresh.key ?? options.key;
  return {
    ...(isPem(ca) && { ca }),
    ...(isPem(cert) && { cert }),
    ...(isPem(key) && { key }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === "string" || Buffer.isBuffer(value);
}

function base64(plain: string): string {
  return Buffer.from(plain).toString("base64");
}

function digest(parts: readonly (string | Buffer | undefined)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = Buffer.from(part ?? "");
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex");
}
