/** What is wrong with certificates, and who has to do what about it. Pure. */
import type {
  CertificateProblem,
  CertificatesReport,
  ConfigurationReport,
  LeafReport,
  LeafState,
} from "../src/ports/certificates-report.js";

import { noSecret } from "./no-secret.js";

type Found = Omit<CertificatesReport, "problems">;

/** The causes only: what follows from a bad serving certificate is not told as well. */
export function problems(
  found: Found,
  secretRef: Parameters<typeof noSecret>[0],
): readonly CertificateProblem[] {
  const { secret, leaves, stampKeys, configurations, mode } = found;
  const broken = leaves.filter(({ state }) => state !== "good");
  const servesWell = broken.every(({ name }) => name !== "serving");
  return [
    ...(secret.exists ? [] : [noSecret(secretRef)]),
    ...broken.flatMap((leaf) => leafProblem(leaf, found) ?? []),
    ...(secret.exists && !stampKeys.current ? [noStampKey(secret.name)] : []),
    ...(servesWell ? configurations.flatMap((one) => configurationProblems(one, mode)) : []),
  ];
}

/** Of what is in the Secret; it is ours in every mode. */
const LEADER_REPAIRS =
  "the leader repairs it within seconds; where it does not, see that one leads and may write the Secret (its log says why not)";

const STATES: Readonly<Record<Exclude<LeafState, "good">, string>> = {
  missing: "is missing",
  unreadable: "cannot be read",
  mismatched: "does not fit its key",
  ended: "has ended",
  "not-yet-valid": "is not valid yet",
  untrusted: "is signed by no CA of its bundle that is valid",
  "wrong-usage": "is for another use",
  older: "is older than the one in use",
};

function leafProblem(
  { name, in: place, state }: LeafReport,
  { secret, mode }: Found,
): CertificateProblem | undefined {
  if (state === "good" || (place === "secret" && !secret.exists)) return undefined;
  const problem = `the ${name} certificate ${STATES[state]}`;
  if (place === "secret") return { problem, fix: LEADER_REPAIRS };
  const fix =
    mode === "cert-manager"
      ? "see what cert-manager says of it: kubectl describe certificate"
      : "exchange the files in --certs-dir; replicas read them every 5 s";
  return { problem, fix };
}

function noStampKey(secret: string): CertificateProblem {
  return {
    problem: `Secret ${secret} holds no key for stamps: changes are not signed, their authors stay unknown`,
    fix: LEADER_REPAIRS,
  };
}

const TRUST_FIXES: Readonly<Record<CertificatesReport["mode"], string>> = {
  self:
    "the leader writes caBundle within a second; where it does not, see that one leads, that it may patch webhook " +
    "configurations, and that nobody else writes caBundle",
  "cert-manager":
    "annotate the configuration with cert-manager.io/inject-ca-from, and see that cert-manager's CA injector runs",
  provided: "put the output of `svc-ferry certs print`, base64, into caBundle of every entry",
};

const NAMES_FIXES: Readonly<Record<CertificatesReport["mode"], string>> = {
  self: LEADER_REPAIRS,
  "cert-manager": "add these names to dnsNames or ipAddresses of cert-manager's Certificate",
  provided: "have a certificate made for these names as well",
};

function configurationProblems(
  { kind, name, state, namesLacking }: ConfigurationReport,
  mode: CertificatesReport["mode"],
): readonly CertificateProblem[] {
  const which = `${kind} webhook configuration ${name}`;
  const trust = { problem: `the ${which} does not trust what is served`, fix: TRUST_FIXES[mode] };
  const names = {
    problem: `the ${which} calls by names that the certificate is not for: ${namesLacking.join(", ")}`,
    fix: NAMES_FIXES[mode],
  };
  return [
    ...(state === "does-not-trust" ? [trust] : []),
    ...(namesLacking.length > 0 ? [names] : []),
  ];
}
