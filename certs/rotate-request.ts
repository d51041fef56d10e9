/** What a person's wish to rotate comes to. Pure; the Secret is annotated by whoever asks. */
import { ROTATE_ANNOTATION } from "../src/domain/labels.js";
import type { Cannot, RotateAnswer } from "../src/ports/certificates-answers.js";
import type { CertificatesMode, Rotation } from "../src/ports/certificates-report.js";
import { rfc3339 } from "../src/ports/timestamps.js";
import { isValidAt, issuedAtMs } from "./lifetime.js";
import { noSecret } from "./no-secret.js";
import type { RotationSettings } from "./rotation-settings.js";
import { parseSecret, type Secret } from "./secret-content.js";

/** What is decided upon. */
export interface RotateSituation {
  readonly mode: CertificatesMode;
  /** --certs-dir */
  readonly directory: string;
  readonly secretRef: { readonly namespace: string; readonly name: string };
  readonly secret: Secret | undefined;
  readonly settings: RotationSettings;
  /** Epoch. */
  readonly nowMs: number;
}

/** Not ours, then nobody reads the Secret for it; undefined: it is. Needs no cluster. */
export function whyNotOurs(
  rotation: Rotation,
  { mode, directory }: Pick<RotateSituation, "mode" | "directory">,
): Cannot | undefined {
  if (mode === "self" || rotation === "stamp") return undefined;
  const fix =
    mode === "cert-manager"
      ? "cmctl renew, or delete the Secret that cert-manager wrote: it issues anew"
      : `write new files into ${directory}, the CA's first into caBundle; replicas read them every 5 s`;
  return { kind: "cannot", problem: `--certs-mode=${mode}: svc-ferry does not make them`, fix };
}

/** "requested": it is to be written into ROTATE_ANNOTATION. Whatever else: nothing is. */
export function rotateRequest(rotation: Rotation, situation: RotateSituation): RotateAnswer {
  const { secret, secretRef, settings, nowMs } = situation;
  const foreign = whyNotOurs(rotation, situation);
  if (foreign !== undefined) return foreign;
  if (secret === undefined) return { kind: "cannot", ...noSecret(secretRef) };
  const { next, stampKeys } = parseSecret(secret);
  if (rotation === "ca" && next !== undefined && isValidAt(next.certificate, nowMs)) {
    return {
      kind: "under-way",
      signsAt: rfc3339(issuedAtMs(next.certificate) + settings.overlapMs),
    };
  }
  const before = secret.metadata.annotations?.[ROTATE_ANNOTATION];
  if (before === rotation) return { kind: "already-requested", rotation };
  return {
    kind: "requested",
    rotation,
    replaced: before,
    overlapMs: settings.overlapMs,
    dropsStampKey: rotation === "stamp" && stampKeys?.previous !== undefined,
  };
}
