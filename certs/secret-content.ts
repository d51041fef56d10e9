/** The Secret's keys: the one place that reads and writes them. */
import { ROTATE_ANNOTATION } from "../src/domain/labels.js";
import { ROTATIONS } from "../src/ports/certificates-report.js";
import type { KubeObject } from "../src/ports/kube-api.js";
import type { Issued } from "./authority.js";
import {
  type Certificate,
  fitsKey,
  isIssuedBy,
  isSigningKey,
  parseCertificates,
} from "./certificate.js";
import {
  bundleText,
  EMPTY,
  type Holding,
  type LeafName,
  type Pair,
  type StampKeys,
} from "./holding.js";
import type { Offer } from "./verdict.js";

/** The Secret as the API sends it; `data` is base64. */
export interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * tls.crt, tls.key and ca.crt are called as in a Secret of type kubernetes.io/tls, so that the content is valid whatever type the
 * Secret has: the type cannot be changed, and one installation was dead for want of that (kyverno#6317).
 */
const KEYS = {
  bundle: "ca.crt",
  signerKey: "ca.key",
  nextKey: "next-ca.key",
  leaves: {
    serving: { certificate: "tls.crt", key: "tls.key" },
    "hand-off": { certificate: "hand-off.crt", key: "hand-off.key" },
  },
  stampKey: "stamp.key",
  previousStampKey: "previous-stamp.key",
} as const;

const STAMP_KEY_BYTES = 32;

/** Text of a key of the Secret; "" when it is missing. */
type Read = (key: string) => string;

/** Everything usable in a Secret; `undefined` and a Secret without data hold nothing. */
export function parseSecret(secret: Secret | undefined): Holding {
  const read = reader(secret);
  const cas = parseCertificates(read(KEYS.bundle)).filter(({ isCa }) => isCa);
  const serving = pair(read, "serving", cas);
  const handOff = pair(read, "hand-off", cas);
  const requested = secret?.metadata.annotations?.[ROTATE_ANNOTATION];
  return {
    cas,
    signer: signing(cas, read(KEYS.signerKey)),
    next: signing(cas, read(KEYS.nextKey)),
    leaves: { ...(serving && { serving }), ...(handOff && { "hand-off": handOff }) },
    stampKeys: stampKeys(read),
    requested: ROTATIONS.find((rotation) => rotation === requested),
  };
}

/** What a replica is offered, good or not. */
export interface Offers {
  readonly serving: Offer;
  readonly handOff: Offer;
  readonly stampKeys: StampKeys | undefined;
}

/** The same for replicas: they judge for themselves, so this leaves nothing out. */
export function parseOffers(secret: Secret | undefined): Offers {
  const read = reader(secret);
  const ca = bundleText(parseCertificates(read(KEYS.bundle)));
  const offer = ({ certificate, key }: (typeof KEYS)["leaves"][LeafName]): Offer => ({
    cert: read(certificate),
    key: read(key),
    ca,
  });
  return {
    serving: offer(KEYS.leaves.serving),
    handOff: offer(KEYS.leaves["hand-off"]),
    stampKeys: stampKeys(read),
  };
}

/** The Secret with this content; keys, labels and annotations of others stay. */
export function renderSecret<T extends Secret>(secret: T, holding: Holding): T {
  const { [ROTATE_ANNOTATION]: _asked, ...annotations } = secret.metadata.annotations ?? {};
  const { requested } = holding;
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...annotations, ...(requested && { [ROTATE_ANNOTATION]: requested }) },
    },
    data: { ...foreign(secret.data ?? {}), ...encoded(contentOf(holding)) },
  };
}

function reader(secret: Secret | undefined): Read {
  return (key) => Buffer.from(secret?.data?.[key] ?? "", "base64").toString("utf8");
}

function signing(cas: readonly Certificate[], key: string): Issued | undefined {
  const certificate = isSigningKey(key) ? cas.find((ca) => fitsKey(ca, key)) : undefined;
  return certificate && { certificate, key };
}

function pair(read: Read, name: LeafName, cas: readonly Certificate[]): Pair | undefined {
  const keys = KEYS.leaves[name];
  const key = read(keys.key);
  const [certificate] = parseCertificates(read(keys.certificate));
  if (certificate === undefined || !fitsKey(certificate, key)) return undefined;
  const issuer = cas.find((ca) => isIssuedBy(certificate, ca));
  return issuer && { certificate, key, issuer: issuer.id };
}

function stampKeys(read: Read): StampKeys | undefined {
  const [current, previous] = [KEYS.stampKey, KEYS.previousStampKey].map((name) => {
    const key = read(name);
    return Buffer.from(key, "base64").length === STAMP_KEY_BYTES ? key : undefined;
  });
  return current === undefined ? undefined : { current, previous };
}

type Content = Readonly<Record<string, string | undefined>>;

/** NB: a Secret of type kubernetes.io/tls is refused without tls.crt and tls.key, but they may be empty. */
function contentOf({ cas, signer, next, leaves, stampKeys }: Holding): Content {
  const { serving, "hand-off": handOff } = leaves;
  return {
    [KEYS.bundle]: bundleText(cas),
    [KEYS.signerKey]: signer?.key,
    [KEYS.nextKey]: next?.key,
    [KEYS.leaves.serving.certificate]: serving?.certificate.pem ?? "",
    [KEYS.leaves.serving.key]: serving?.key ?? "",
    [KEYS.leaves["hand-off"].certificate]: handOff?.certificate.pem,
    [KEYS.leaves["hand-off"].key]: handOff?.key,
    [KEYS.stampKey]: stampKeys?.current,
    [KEYS.previousStampKey]: stampKeys?.previous,
  };
}

const OURS: readonly string[] = Object.keys(contentOf(EMPTY));

function foreign(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data).filter(([key]) => !OURS.includes(key)));
}

function encoded(content: Content): Readonly<Record<string, string>> {
  const entries = Object.entries(content).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, Buffer.from(text).toString("base64")] as const],
  );
  return Object.fromEntries(entries);
}
