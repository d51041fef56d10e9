/** The two questions to STS that turn one identity into another. */
import type { Clock } from "../../ports/clock.js";
import { parseRfc3339 } from "../../ports/timestamps.js";
import type { Environment } from "../environment.js";
import { clockNote } from "./clock-note.js";
import { type AwsAnswer, askAws } from "./http.js";
import type { AwsKeys } from "./keys.js";
import { payloadOf, signedHeaders } from "./sigv4.js";
import { stsHost } from "./sts-host.js";

/** A role to become. */
export interface Role {
  readonly arn: string;
  /** Ends up in CloudTrail and in the user name that EKS sees. */
  readonly sessionName: string;
  readonly externalId?: string | undefined;
  readonly durationSeconds?: string | undefined;
}

const VERSION = "2011-06-15";
const LIMIT_MS = 10_000;

export class Sts {
  constructor(
    private readonly region: string,
    private readonly env: Environment,
    private readonly clock: Clock,
  ) {}

  /** @throws Error with STS's own code and message */
  async assumeRole(role: Role, keys: AwsKeys): Promise<AwsKeys> {
    return this.#ask({ Action: "AssumeRole", ...roleFields(role) }, keys);
  }

  /** The token is the proof: this request is not signed. @throws Error with STS's own code and message */
  async assumeRoleWithWebIdentity(role: Role, token: string): Promise<AwsKeys> {
    const fields = { ...roleFields(role), WebIdentityToken: token };
    return this.#ask({ Action: "AssumeRoleWithWebIdentity", ...fields }, undefined);
  }

  async #ask(
    fields: Readonly<Record<string, string>>,
    keys: AwsKeys | undefined,
  ): Promise<AwsKeys> {
    const endpoint = this.#endpoint();
    const body = new URLSearchParams({ ...fields, Version: VERSION }).toString();
    const plain = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const { host, pathname: path } = endpoint;
    const signable = { method: "POST", host, path, query: {}, headers: plain } as const;
    const scope = { region: this.region, service: "sts", nowMs: this.clock.now() };
    const proof =
      keys === undefined
        ? {}
        : signedHeaders({ ...signable, payload: payloadOf(body) }, scope, keys);
    const headers = { ...plain, ...proof };
    const url = endpoint.href;
    const answer = await askAws(this.clock, {
      method: "POST",
      url,
      headers,
      body,
      limitMs: LIMIT_MS,
    });
    return this.#keysOf(answer, fields);
  }

  /** AWS_ENDPOINT_URL_STS is the SDKs' own variable: a VPC endpoint, or a server that stands in for STS. */
  #endpoint(): URL {
    const given = this.env["AWS_ENDPOINT_URL_STS"] ?? "";
    if (given === "") return new URL(`https://${stsHost(this.region)}/`);
    if (!URL.canParse(given)) throw new Error("AWS_ENDPOINT_URL_STS is no URL");
    const url = new URL(given);
    if (url.protocol !== "https:" && !/^(?:127\.|\[::1\]|localhost$)/.test(url.hostname)) {
      throw new Error("AWS_ENDPOINT_URL_STS must begin with https://");
    }
    return url;
  }

  #keysOf(answer: AwsAnswer, { Action, RoleArn }: Readonly<Record<string, string>>): AwsKeys {
    const { text, status } = answer;
    const doing = `sts:${Action ?? ""} on ${RoleArn ?? ""}`;
    if (status !== 200) {
      const code = element(text, "Code");
      const said = firstSentence(element(text, "Message"));
      throw new Error(`${doing} failed: ${status} ${code} ${said}${clockNote(answer, this.clock)}`);
    }
    const accessKeyId = element(text, "AccessKeyId");
    const secretAccessKey = element(text, "SecretAccessKey");
    const endsAtMs = parseRfc3339(element(text, "Expiration"));
    if (accessKeyId === "" || secretAccessKey === "" || endsAtMs === undefined) {
      throw new Error(`${doing}: the answer holds no keys`);
    }
    return { accessKeyId, secretAccessKey, sessionToken: element(text, "SessionToken"), endsAtMs };
  }
}

function roleFields({ arn, sessionName, externalId, durationSeconds }: Role) {
  return {
    RoleArn: arn,
    RoleSessionName: sessionName,
    ...(externalId !== undefined && { ExternalId: externalId }),
    ...(durationSeconds !== undefined && { DurationSeconds: durationSeconds }),
  };
}

/** STS answers in flat XML, each of these elements at most once; "" when it is not there. */
function element(xml: string, name: string): string {
  const [, found = ""] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  const entities = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" } as const;
  return found.replaceAll(
    /&(lt|gt|quot|apos|amp);/g,
    (_, entity: keyof typeof entities) => entities[entity],
  );
}

/** NB: behind its first line a SignatureDoesNotMatch repeats what was signed, the session token with it. */
function firstSentence(message: string): string {
  return message.trim().split("\n", 1).join("").slice(0, 300);
}
