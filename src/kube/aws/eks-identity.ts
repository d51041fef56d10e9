/** An IAM identity as a Kubernetes credential, in place of the `aws` program that the kubeconfig names. */
import type { ExecCredential, ExecDeps } from "../exec-plugin.js";
import { type Issued, Renewed } from "../renewed.js";
import { identityKeys } from "./chain.js";
import { type EksStanza, regionOfServer } from "./eks-stanza.js";
import { eksToken, TOKEN_LIFE_MS } from "./eks-token.js";
import type { AwsKeys } from "./keys.js";
import { readProfiles } from "./shared-files.js";
import { Sts } from "./sts.js";
import { isRegion } from "./sts-host.js";

/** The SDKs renew temporary keys this long before their end. */
const KEYS_EARLY_MS = 300_000;
const TOKEN_EARLY_MS = 60_000;

/** Keys are held until shortly before their end, tokens made of them as long as they hold. */
export class EksIdentity {
  readonly #keys: Renewed<AwsKeys>;
  readonly #token: Renewed<ExecCredential>;

  constructor(
    private readonly stanza: EksStanza,
    private readonly server: string,
    private readonly deps: ExecDeps,
  ) {
    const name = `EKS cluster ${stanza.cluster}`;
    const token = { name, issue: () => this.#issueToken(), earlyMs: TOKEN_EARLY_MS };
    this.#keys = new Renewed(
      { name: "AWS", issue: () => this.#issueKeys(), earlyMs: KEYS_EARLY_MS },
      deps,
    );
    this.#token = new Renewed(token, deps);
  }

  /** @throws RetryableError FERRY-K005 */
  async current(): Promise<Issued<ExecCredential>> {
    return this.#token.current();
  }

  /** Keys too: they may be what the server refuses. */
  drop(): void {
    this.#keys.drop();
    this.#token.drop();
  }

  async #issueToken(): Promise<Issued<ExecCredential>> {
    const { value: keys, endsAtMs: keysEndAtMs } = await this.#keys.current();
    // Without an end they are what a file or the environment says now, and may be others the next time.
    if (keysEndAtMs === undefined) this.#keys.drop();
    const nowMs = this.deps.clock.now();
    const region = await this.#region();
    const token = eksToken({ cluster: this.stanza.cluster, region, nowMs }, keys);
    const endsAtMs = Math.min(nowMs + TOKEN_LIFE_MS, keysEndAtMs ?? Infinity);
    return { value: { token, cert: undefined, key: undefined }, endsAtMs };
  }

  async #issueKeys(): Promise<Issued<AwsKeys>> {
    const { stanza, deps } = this;
    const { profile, roleArn, externalId } = stanza;
    const env = this.#env();
    const sts = new Sts(await this.#region(), env, deps.clock);
    // The CLI's own name for the session: access entries and trail filters may rely on it.
    const sessionName = stanza.sessionName ?? "EKSGetTokenAuth";
    const role = roleArn === undefined ? undefined : { arn: roleArn, sessionName, externalId };
    const keys = await identityKeys({ profile, role }, { env, clock: deps.clock, sts });
    return { value: keys, endsAtMs: keys.endsAtMs };
  }

  /** The order of the CLI; at last what the server's name says. @throws Error when nobody says it */
  async #region(): Promise<string> {
    const { stanza, server } = this;
    const env = this.#env();
    const region =
      stanza.region ||
      env["AWS_REGION"] ||
      env["AWS_DEFAULT_REGION"] ||
      (await readProfiles(env)).get(stanza.profile ?? (env["AWS_PROFILE"] || "default"))?.[
        "region"
      ] ||
      regionOfServer(server);
    if (region === undefined) throw new Error("no AWS region: add --region to the exec stanza");
    if (!isRegion(region)) throw new Error(`"${region}" is no AWS region`);
    return region;
  }

  #env() {
    return { ...this.deps.env, ...this.stanza.env };
  }
}
