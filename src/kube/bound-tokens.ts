/**
 * Keeps a ServiceAccount's bound token alive that stands in the kubeconfig itself, where no kubelet exchanges it: at half
 * of its life the next one is asked for with it. That takes the right to `create` the `token` of its own ServiceAccount.
 *
 * 1. The new token lives in memory, and whatever asked with the old one goes over to it, once it is proven.
 * 2. Then it is kept where the kubeconfig comes from, if there is such a place: that is what survives a restart. Whoever
 *    of several replicas is first writes, the others find that the old token is no longer there.
 * 3. The kubeconfig that arrives later holds the same token, or a younger one, and is taken as it is.
 */
import type { Clock } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import { parseRfc3339, rfc3339 } from "../ports/timestamps.js";
import { type Credential, withToken } from "./credential.js";
import { isRecord, parseJson, text } from "./json.js";
import { type Life, type ServiceAccountToken, serviceAccountToken } from "./life.js";
import type { SingleRequests } from "./single-request.js";
import { failureOf } from "./status.js";

/** Puts `renewed` where `old` stands in the stored kubeconfig. Does nothing when it does not stand there any more. */
export type KeepToken = (old: string, renewed: string) => Promise<void>;

export interface BoundTokensDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly requests: SingleRequests;
  readonly keep: KeepToken | undefined;
}

interface Token extends ServiceAccountToken {
  readonly text: string;
  readonly life: Life;
}

/** Of a token's life; later by up to a tenth, so that replicas do not all ask at once. */
const RENEW_AT = 0.5;
const SPREAD = 0.1;
/** After a failure. A right that is missing does not come within seconds, and half a life is long. */
const PAUSE_MS = 60_000;
/** API servers refuse less. Source: kubernetes pkg/apis/authentication/validation. */
const MIN_SECONDS = 600;

export class BoundTokens {
  /** The younger one that stands for it. */
  #renewed: Token | undefined;
  /** The token whose successor is not kept yet. */
  #unkept: string | undefined;
  #notBeforeMs = 0;
  #lastTrouble = "";
  readonly #renewAt: number;

  constructor(
    /** As the kubeconfig has it; undefined: it holds none. Secret. */
    readonly given: string | undefined,
    private readonly deps: BoundTokensDeps,
  ) {
    this.#renewAt = RENEW_AT + SPREAD * deps.random.next();
  }

  /** `offered`, with a younger token when there is one. */
  latest(offered: Credential): Credential {
    const renewed = this.#renewed;
    return renewed === undefined ? offered : withToken(offered, renewed.text, renewed.life);
  }

  /** True when there is a younger token now. Never rejects: a failure is logged, and the old one stays. */
  async renew(current: Credential): Promise<boolean> {
    const token = this.#renewed ?? tokenOf(this.given ?? "");
    if (token === undefined || !this.#isDue(token.life) || !this.#mayTry()) return false;
    try {
      this.#renewed = await this.#ask(current, token);
      this.#unkept ??= token.text;
      this.#lastTrouble = "";
      const { life, name } = this.#renewed;
      this.deps.log.info({ name, expires: rfc3339(life.endsAtMs) }, "token renewed");
      return true;
    } catch (error) {
      const expires = rfc3339(token.life.endsAtMs);
      this.#trouble({ err: error, expires }, "token could not be renewed, it ends");
      return false;
    }
  }

  /** Called once the renewed token is proven. Never rejects. */
  async keep(): Promise<void> {
    const { keep } = this.deps;
    const [old, renewed] = [this.#unkept, this.#renewed];
    if (keep === undefined || old === undefined || renewed === undefined || !this.#mayTry()) return;
    try {
      await keep(old, renewed.text);
      this.#unkept = undefined;
    } catch (error) {
      this.#trouble({ err: error }, "renewed token could not be kept, a restart would not find it");
    }
  }

  async #ask(current: Credential, token: Token): Promise<Token> {
    const { namespace, name, audiences, boundTo, life } = token;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const seconds = Math.round((life.endsAtMs - life.beganAtMs) / 1000);
    const answer = await this.deps.requests.ask(current, {
      method: "POST",
      path,
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          audiences,
          expirationSeconds: Math.max(seconds, MIN_SECONDS),
          ...(boundTo !== undefined && { boundObjectRef: { apiVersion: "v1", ...boundTo } }),
        },
      },
    });
    if (answer.status !== 201) throw failureOf(`${current.origin}: create ${path}`, answer);
    const parsed = parseJson(answer.body.toString("utf8"));
    const status = isRecord(parsed) && isRecord(parsed["status"]) ? parsed["status"] : {};
    const endsAtMs = parseRfc3339(text(status["expirationTimestamp"]));
    const renewed = text(status["token"]);
    if (renewed === "" || endsAtMs === undefined) throw new Error(`${path}: no token came`);
    return { ...token, text: renewed, life: { beganAtMs: this.deps.clock.now(), endsAtMs } };
  }

  #isDue({ beganAtMs, endsAtMs }: Life): boolean {
    return this.deps.clock.now() >= beganAtMs + (endsAtMs - beganAtMs) * this.#renewAt;
  }

  #mayTry(): boolean {
    return this.deps.clock.monotonicMs() >= this.#notBeforeMs;
  }

  #trouble(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#notBeforeMs = this.deps.clock.monotonicMs() + PAUSE_MS;
    const trouble = `${message}: ${String(fields["err"])}`;
    if (trouble !== this.#lastTrouble) this.deps.log.warn(fields, message);
    this.#lastTrouble = trouble;
  }
}

/** undefined when it is not a bound token. */
function tokenOf(given: string): Token | undefined {
  const token = serviceAccountToken(given);
  return token?.life === undefined ? undefined : { ...token, text: given, life: token.life };
}
