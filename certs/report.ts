/** How everything stands, from the Secret, the files, the configurations and the time. Pure, but for reading PEM. */
import { ROTATE_ANNOTATION } from "../src/domain/labels.js";
import type {
  CaReport,
  CertificatesMode,
  CertificatesReport,
  ConfigurationReport,
  Dates,
  HeldIn,
  LeafReport,
  NextRotation,
} from "../src/ports/certificates-report.js";
import { rfc3339 } from "../src/ports/timestamps.js";
import { HAND_OFF_NAME } from "./carry-out.js";
import { type Certificate, isIssuedBy, parseCertificates } from "./certificate.js";
import { forecast } from "./forecast.js";
import { type Holding, isFor, type LeafName } from "./holding.js";
import { isValidAt, issuedAtMs } from "./lifetime.js";
import { SERVICE_NAME } from "./object-names.js";
import { problems } from "./report-problems.js";
import { isPublished, type Situation, type Step } from "./rotation.js";
import type { RotationSettings } from "./rotation-settings.js";
import { parseOffers, parseSecret, type Secret } from "./secret-content.js";
import { isTrusted, uncovered } from "./trust.js";
import { type Offer, verdict } from "./verdict.js";
import { wantedLeaves } from "./wanted-leaves.js";
import {
  calledNames,
  CONFIGURATION_KINDS,
  type ConfigurationKind,
  publishedBundles,
  type WebhookConfiguration,
} from "./webhook-configuration.js";

/** What was found. */
export interface Evidence {
  readonly cluster: string;
  readonly secretRef: { readonly namespace: string; readonly name: string };
  readonly secret: Secret | undefined;
  /** The serving certificate that somebody else makes; undefined: it is in the Secret. */
  readonly files:
    { readonly mode: Exclude<CertificatesMode, "self">; readonly offer: Offer } | undefined;
  /** Name of both configurations. */
  readonly configuration: string;
  readonly configurations: Readonly<Partial<Record<ConfigurationKind, WebhookConfiguration>>>;
  readonly settings: RotationSettings;
  /** Epoch. */
  readonly nowMs: number;
}

/** One leaf as it lies there, and what replicas make of it. */
interface JudgedLeaf {
  readonly report: LeafReport;
  readonly chain: readonly Certificate[];
}

export function certificatesReport(evidence: Evidence): CertificatesReport {
  const { secret, secretRef, files, cluster, nowMs } = evidence;
  const holding = parseSecret(secret);
  const { stampKeys } = holding;
  const offers = parseOffers(secret);
  const serving = judged("serving", files?.offer ?? offers.serving, evidence);
  const handOff = judged("hand-off", offers.handOff, evidence);
  const requested = secret?.metadata.annotations?.[ROTATE_ANNOTATION];
  const next = nextRotation(evidence, holding);
  const found = {
    apiVersion: "svc-ferry.io/cli/v1",
    kind: "CertificatesReport",
    time: rfc3339(nowMs),
    mode: files?.mode ?? "self",
    cluster,
    secret: {
      name: `${secretRef.namespace}/${secretRef.name}`,
      exists: secret !== undefined,
      ...(requested !== undefined && { requested }),
    },
    cas: [...secretCas(holding, nowMs), ...fileCas(files?.offer, nowMs)],
    leaves: [serving.report, handOff.report],
    stampKeys: {
      current: stampKeys !== undefined,
      previous: stampKeys?.previous !== undefined,
    },
    configurations: CONFIGURATION_KINDS.map((kind) => configuration(kind, serving, evidence)),
    ...(next && { next }),
  } as const;
  return { ...found, problems: problems(found, secretRef) };
}

function secretCas({ cas, signer, next }: Holding, nowMs: number): readonly CaReport[] {
  return cas.map((ca) => {
    const usable = isValidAt(ca, nowMs);
    if (usable && ca.id === signer?.certificate.id) return caReport(ca, "secret", "signs", nowMs);
    if (usable && ca.id === next?.certificate.id) return caReport(ca, "secret", "will sign", nowMs);
    return caReport(ca, "secret", usable ? "trusted" : "unusable", nowMs);
  });
}

function fileCas(offer: Offer | undefined, nowMs: number): readonly CaReport[] {
  return casOf(offer).map((ca) =>
    caReport(ca, "files", isValidAt(ca, nowMs) ? "trusted" : "unusable", nowMs),
  );
}

function casOf(offer: Offer | undefined): readonly Certificate[] {
  return parseCertificates(offer?.ca ?? "").filter(({ isCa }) => isCa);
}

function caReport(ca: Certificate, place: HeldIn, role: CaReport["role"], nowMs: number): CaReport {
  return { id: shortId(ca), in: place, role, ...dates(ca, nowMs) };
}

/** As replicas judge it (Reloader), which have none yet. */
function judged(name: LeafName, offer: Offer, { files, nowMs }: Evidence): JudgedLeaf {
  const suits = (leaf: Certificate): boolean =>
    isFor(name, leaf) && (name === "serving" || leaf.names.includes(HAND_OFF_NAME));
  const result = verdict(offer, { suits, current: undefined, nowMs });
  const chain = parseCertificates(offer.cert);
  const [leaf] = chain;
  const top = chain.at(-1);
  const issuer = casOf(offer).find((ca) => top !== undefined && isIssuedBy(top, ca));
  const report: LeafReport = {
    name,
    in: name === "serving" && files !== undefined ? "files" : "secret",
    state: result.kind === "accepted" ? "good" : result.refusal,
    names: leaf?.names ?? [],
    ...(leaf && dates(leaf, nowMs)),
    ...(issuer && { signedBy: shortId(issuer) }),
  };
  return { report, chain };
}

function configuration(
  kind: ConfigurationKind,
  { chain }: JudgedLeaf,
  { configuration: name, configurations, files, nowMs }: Evidence,
): ConfigurationReport {
  const found = configurations[kind];
  if (found === undefined) return { kind, name, state: "missing", entries: 0, namesLacking: [] };
  const bundles = publishedBundles(found);
  const trust = { needsBundle: files?.mode !== "provided", nowMs };
  const [leaf] = chain;
  const trusts = leaf !== undefined && bundles.every((bundle) => isTrusted(chain, bundle, trust));
  return {
    kind,
    name,
    state: trusts ? "trusts" : "does-not-trust",
    entries: bundles.length,
    namesLacking: uncovered(leaf ?? { names: [] }, calledNames(found)),
  };
}

function nextRotation(evidence: Evidence, holding: Holding): NextRotation | undefined {
  const { configurations, secretRef, files, settings, nowMs } = evidence;
  const isOurs = files === undefined;
  const found = isOurs ? CONFIGURATION_KINDS.flatMap((kind) => configurations[kind] ?? []) : [];
  const service = isOurs ? { namespace: secretRef.namespace, name: SERVICE_NAME } : undefined;
  const published = found.flatMap(publishedBundles);
  const situation: Situation = {
    holding,
    wanted: wantedLeaves(service, found),
    published,
    nextSeenMs: seenMs(holding.next?.certificate, published),
    settings,
    nowMs,
  };
  const coming = forecast(situation);
  if (coming === undefined) return undefined;
  const { step, atMs } = coming;
  const reason = step.kind === "wait" ? step.for : step.reason;
  return { step: step.kind, reason, at: rfc3339(atMs), what: subjects(step) };
}

/** Only the leader knows when the configurations were seen to have the next CA; mostly within a second after it joined. */
function seenMs(
  next: Certificate | undefined,
  published: Situation["published"],
): number | undefined {
  return next !== undefined && isPublished({ published }, next) ? issuedAtMs(next) : undefined;
}

function subjects(step: Step): readonly string[] {
  if (step.kind === "renew") return step.leaves;
  return step.kind === "prune" ? step.cas.map(shortId) : [];
}

const DAY_MS = 86_400_000;

function dates({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): Dates {
  return {
    from: rfc3339(notBeforeMs),
    until: rfc3339(notAfterMs),
    daysLeft: Math.floor((notAfterMs - nowMs) / DAY_MS),
  };
}

/** Enough to tell a few apart, and the beginning of what `openssl x509 -fingerprint -sha256` says. */
function shortId({ id }: Certificate): string {
  return id.slice(0, 16);
}
