/** What `svc-ferry certs` asks of the source and of files. Reads and writes; certs/ decides. */
import { join } from "node:path";
import { parseCertificates } from "../certs/certificate.js";
import { bundleText } from "../certs/holding.js";
import { noSecret } from "../certs/no-secret.js";
import { SECRET_NAME } from "../certs/object-names.js";
import { certificatesReport } from "../certs/report.js";
import { rotateRequest, whyNotOurs } from "../certs/rotate-request.js";
import { DEFAULT_ROTATION, type RotationSettings } from "../certs/rotation-settings.js";
import { parseSecret, type Secret } from "../certs/secret-content.js";
import type { Offer } from "../certs/verdict.js";
import { CONFIGURATIONS, type WebhookConfiguration } from "../certs/webhook-configuration.js";
import type { Certs } from "./cli/certs.js";
import type { CertsConfig } from "./config/certs-config.js";
import { ROTATE_ANNOTATION } from "./domain/labels.js";
import type { Bundle, Cannot, RotateAnswer } from "./ports/certificates-answers.js";
import type { CertificatesReport, Rotation } from "./ports/certificates-report.js";
import type { Clock } from "./ports/clock.js";
import type { KubeApi, WriteResult } from "./ports/kube-api.js";
import { SECRETS } from "./ports/kube-resources.js";

export interface CertsCommandsParts {
  /** The source; each command closes what it opened. */
  readonly open: (
    source: CertsConfig["source"],
  ) => Promise<Pick<KubeApi, "get" | "patch"> & { close(): Promise<void> }>;
  readonly clock: Clock;
  /** @throws when the file cannot be read */
  readonly readFile: (path: string) => string;
  /** Default: those of `run`. */
  readonly settings?: RotationSettings;
}

type Source = Pick<KubeApi, "get" | "patch">;

/** Nobody stops a command but by ending the process; each request has its own time limit. */
const NEVER = new AbortController().signal;

export class CertsCommands implements Certs {
  constructor(private readonly parts: CertsCommandsParts) {}

  async print(config: CertsConfig): Promise<Bundle | Cannot> {
    if (config.certs.mode !== "self") return this.#printFile(config);
    return this.#asking(config, async (source) => {
      const secretRef = refOf(config);
      const secret = await secretOf(source, config);
      if (secret === undefined) return { kind: "cannot", ...noSecret(secretRef) };
      const pem = bundleText(parseSecret(secret).cas);
      if (pem !== "") return { kind: "bundle", pem };
      return {
        kind: "cannot",
        problem: `Secret ${secretRef.namespace}/${secretRef.name} holds no CA`,
        fix: "the leader makes one within seconds; where it does not, see that one leads and may write the Secret",
      };
    });
  }

  async report(config: CertsConfig): Promise<CertificatesReport | Cannot> {
    const { mode } = config.certs;
    const offer = mode === "self" ? undefined : this.#readOffer(config);
    if (offer !== undefined && "kind" in offer) return offer;
    return this.#asking(config, async (source) => {
      const secret = await secretOf(source, config);
      const configuration = (kind: keyof typeof CONFIGURATIONS) =>
        source.get(CONFIGURATIONS[kind], { name: config.configuration }, NEVER);
      const [mutating, validating]: readonly (WebhookConfiguration | undefined)[] =
        await Promise.all([configuration("mutating"), configuration("validating")]);
      return certificatesReport({
        cluster: config.source.name,
        secretRef: refOf(config),
        secret,
        files: mode === "self" || offer === undefined ? undefined : { mode, offer },
        configuration: config.configuration,
        configurations: { ...(mutating && { mutating }), ...(validating && { validating }) },
        settings: this.#settings,
        nowMs: this.parts.clock.now(),
      });
    });
  }

  async rotate(config: CertsConfig, rotation: Rotation): Promise<RotateAnswer> {
    const foreign = whyNotOurs(rotation, config.certs);
    if (foreign !== undefined) return foreign;
    return this.#asking(config, async (source) => {
      const secret = await secretOf(source, config);
      const answer = rotateRequest(rotation, {
        ...config.certs,
        secretRef: refOf(config),
        secret,
        settings: this.#settings,
        nowMs: this.parts.clock.now(),
      });
      if (answer.kind !== "requested") return answer;
      const metadata = { annotations: { [ROTATE_ANNOTATION]: rotation } };
      // No resource version: what the leader writes meanwhile does not matter to a request.
      const uid = secret?.metadata.uid ?? "";
      const written = await source.patch(
        SECRETS,
        refOf(config),
        { metadata },
        { uid },
        { signal: NEVER },
      );
      return written.kind === "done" ? answer : notWritten(written);
    });
  }

  get #settings(): RotationSettings {
    return this.parts.settings ?? DEFAULT_ROTATION;
  }

  async #asking<T>({ source }: CertsConfig, ask: (source: Source) => Promise<T>): Promise<T> {
    const cluster = await this.parts.open(source);
    try {
      return await ask(cluster);
    } finally {
      await cluster.close();
    }
  }

  #printFile({ certs }: CertsConfig): Bundle | Cannot {
    const path = join(certs.directory, "ca.crt");
    const text = this.#read(path);
    if (typeof text !== "string") return text;
    const pem = bundleText(parseCertificates(text).filter(({ isCa }) => isCa));
    if (pem !== "") return { kind: "bundle", pem };
    return {
      kind: "cannot",
      problem: `${path} holds no CA certificate`,
      fix: "see who writes --certs-dir; with a CA that API servers know anyway, caBundle stays empty",
    };
  }

  /** As replicas read them (CertificateFiles). */
  #readOffer({ certs }: CertsConfig): Offer | Cannot {
    const read = (name: string) => this.#read(join(certs.directory, name));
    const [cert, key] = [read("tls.crt"), read("tls.key")];
    if (typeof cert !== "string") return cert;
    if (typeof key !== "string") return key;
    const ca = read("ca.crt");
    if (typeof ca === "string") return { cert, key, ca };
    return ca.isMissing ? { cert, key, ca: undefined } : ca;
  }

  #read(path: string): string | (Cannot & { readonly isMissing: boolean }) {
    try {
      return this.parts.readFile(path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return {
        kind: "cannot",
        problem: `${path} cannot be read: ${why}`,
        fix: "ask where --certs-dir is mounted: kubectl exec into a pod of svc-ferry",
        isMissing: error instanceof Error && "code" in error && error.code === "ENOENT",
      };
    }
  }
}

function refOf({ namespace }: CertsConfig): { readonly namespace: string; readonly name: string } {
  return { namespace, name: SECRET_NAME };
}

async function secretOf(source: Source, config: CertsConfig): Promise<Secret | undefined> {
  return source.get(SECRETS, refOf(config), NEVER);
}

function notWritten(result: Exclude<WriteResult, { readonly kind: "done" }>): Cannot {
  const fix = "try again";
  if (!("message" in result)) {
    return { kind: "cannot", problem: "the Secret was exchanged or deleted meanwhile", fix };
  }
  return { kind: "cannot", problem: `the Secret was not written: ${result.message}`, fix };
}
