/** How long what a credential consists of holds: read from itself, never trusted for anything but a warning in time. */
import { X509Certificate } from "node:crypto";
import { isRecord, parseJson, text } from "./json.js";

/** Wall clock. */
export interface Life {
  readonly beganAtMs: number;
  readonly endsAtMs: number;
}

/** What the token of a ServiceAccount says of itself. */
export interface ServiceAccountToken {
  readonly namespace: string;
  readonly name: string;
  readonly audiences: readonly string[];
  /** The object with which it ends; undefined: it ends by itself only. */
  readonly boundTo:
    { readonly kind: "Pod" | "Secret"; readonly name: string; readonly uid: string } | undefined;
  /** undefined: it never ends. */
  readonly life: Life | undefined;
}

/**
 * undefined: it says nothing that we understand. NB: API servers make a pod's token valid for a year, for clients that never
 * read theirs again, and say in `warnafter` when it is meant to end. Source: kubernetes pkg/serviceaccount/claims.go.
 */
export function lifeOfToken(token: string): Life | undefined {
  const claims = claimsOf(token);
  const { exp, iat } = claims;
  const { warnafter = exp } = record(claims["kubernetes.io"]);
  if (typeof warnafter !== "number") return undefined;
  const beganAtMs = (typeof iat === "number" ? iat : warnafter) * 1000;
  return { beganAtMs, endsAtMs: warnafter * 1000 };
}

/** undefined when it is not a ServiceAccount's. Source: kubernetes pkg/serviceaccount/claims.go, legacy.go. */
export function serviceAccountToken(token: string): ServiceAccountToken | undefined {
  const claims = claimsOf(token);
  const [, namespace, name] =
    /^system:serviceaccount:([^:]+):([^:]+)$/.exec(text(claims["sub"])) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  const about = record(claims["kubernetes.io"]);
  const audiences = [claims["aud"]].flat().filter((one) => typeof one === "string");
  return { namespace, name, audiences, boundTo: boundTo(about), life: lifeOfToken(token) };
}

/** undefined when it is no certificate. */
export function lifeOfCertificate(pem: string | Buffer): Life | undefined {
  try {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    return { beganAtMs: validFromDate.getTime(), endsAtMs: validToDate.getTime() };
  } catch {
    // What it is worth, the handshake says.
    return undefined;
  }
}

/** Of several things that are needed together the first one to end. */
export function shortest(lives: readonly (Life | undefined)[]): Life | undefined {
  return lives
    .filter((life) => life !== undefined)
    .toSorted((a, b) => a.endsAtMs - b.endsAtMs)
    .at(0);
}

function boundTo(about: Readonly<Record<string, unknown>>): ServiceAccountToken["boundTo"] {
  const [pod, secret] = [record(about["pod"]), record(about["secret"])];
  const [kind, object] =
    text(pod["name"]) === "" ? (["Secret", secret] as const) : (["Pod", pod] as const);
  const [name, uid] = [text(object["name"]), text(object["uid"])];
  return name === "" ? undefined : { kind, name, uid };
}

/** Empty for whatever is no JWT. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, payload = "", signature] = token.split(".");
  return signature === undefined
    ? {}
    : record(parseJson(Buffer.from(payload, "base64url").toString("utf8")));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
