/** What `svc-ferry kubeconfig` asks of a destination: a token of its ServiceAccount. Writes nothing. */
import type { MakeKubeconfig } from "./cli/kubeconfig.js";
import type { Config } from "./config/config.js";
import type { Cannot } from "./ports/certificates-answers.js";
import type { Clock } from "./ports/clock.js";
import type { InspectedCluster } from "./ports/inspected-cluster.js";
import type { KubeObject } from "./ports/kube-api.js";
import { SECRETS } from "./ports/kube-resources.js";
import type { CredentialQuestion, MadeCredential, TokenQuestion } from "./ports/made-credential.js";
import { parseRfc3339 } from "./ports/timestamps.js";

export interface KubeconfigCommandParts {
  readonly open: (cluster: Config["source"]) => Promise<InspectedCluster>;
  readonly clock: Clock;
}

/** Nobody stops a command but by ending the process; each request has its own time limit. */
const NEVER = new AbortController().signal;
/** A server that gives less than it was asked for, by more than clocks and a request's way account for. */
const SHORTENED_BY_MS = 60_000;

type Token = Pick<MadeCredential, "token" | "expires" | "warnings">;

export class KubeconfigCommand implements MakeKubeconfig {
  constructor(private readonly parts: KubeconfigCommandParts) {}

  async make(
    destination: Config["source"],
    question: CredentialQuestion,
  ): Promise<MadeCredential | Cannot> {
    const cluster = await this.parts.open(destination);
    try {
      const { server, ca } = await cluster.credential();
      const { token: wanted } = question;
      const token =
        wanted.kind === "bound"
          ? await this.#bound(cluster, question, wanted)
          : await lasting(cluster, question, wanted);
      if ("kind" in token) return token;
      return { kind: "made", server: question.server ?? server, ca, ...token };
    } finally {
      await cluster.close();
    }
  }

  /** The server decides how long: what it says counts, not what was asked. */
  async #bound(
    cluster: InspectedCluster,
    { namespace, name }: CredentialQuestion,
    { durationMs }: Extract<TokenQuestion, { kind: "bound" }>,
  ): Promise<Token | Cannot> {
    const answer = await cluster.raw.ask(
      {
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
        body: {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { expirationSeconds: Math.floor(durationMs / 1_000) },
        },
      },
      NEVER,
    );
    const { status, message } = answer.body as {
      readonly status?: { readonly token?: string; readonly expirationTimestamp?: string } | string;
      readonly message?: string;
    };
    if (answer.status !== 201 || typeof status !== "object" || status.token === undefined) {
      return noToken(cluster, `${namespace}/${name}`, answer.status, message);
    }
    const { token, expirationTimestamp } = status;
    const endsMs = parseRfc3339(expirationTimestamp ?? "");
    const wantedMs = this.parts.clock.now() + durationMs;
    const isShort = endsMs !== undefined && endsMs < wantedMs - SHORTENED_BY_MS;
    const warnings = [
      ...(isShort
        ? [`the server gives less than it was asked for: until ${expirationTimestamp ?? ""}`]
        : []),
      `the token ends at ${expirationTimestamp ?? "a time that the server does not tell"}: svc-ferry renews it at half of its life, and --kubeconfig-secret keeps the new one (docs/credentials.md)`,
    ];
    return { token, expires: expirationTimestamp, warnings };
  }
}

async function lasting(
  cluster: InspectedCluster,
  { namespace, name }: CredentialQuestion,
  { secret }: Extract<TokenQuestion, { kind: "lasting" }>,
): Promise<Token | Cannot> {
  const found: TokenSecret | undefined = await cluster.get(
    SECRETS,
    { namespace, name: secret },
    NEVER,
  );
  const account = found?.metadata.annotations?.["kubernetes.io/service-account.name"];
  const token = Buffer.from(found?.data?.["token"] ?? "", "base64").toString("utf8");
  if (found === undefined || account !== name || token === "") {
    return {
      kind: "cannot",
      problem:
        found === undefined
          ? `there is no Secret ${namespace}/${secret} in ${cluster.cluster}`
          : `Secret ${namespace}/${secret} holds no token of the ServiceAccount ${name}`,
      fix: `make one of type kubernetes.io/service-account-token with the annotation kubernetes.io/service-account.name=${name}, or leave --secret out`,
    };
  }
  const warnings = [
    `this token never ends: whoever has it keeps it until Secret ${namespace}/${secret} is deleted; without --secret one is made that ends by itself`,
  ];
  return { token, expires: undefined, warnings };
}

interface TokenSecret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

function noToken(
  { cluster }: InspectedCluster,
  account: string,
  status: number,
  message = "",
): Cannot {
  const fixes: Readonly<Record<number, string>> = {
    403: "ask as somebody who may create serviceaccounts/token there",
    404: "install it first: kubectl apply -k manifests/destination",
    422: "give another --duration",
  };
  return {
    kind: "cannot",
    problem:
      `${cluster} gives no token of ServiceAccount ${account}: ${status} ${message}`.trimEnd(),
    fix: fixes[status] ?? "try again",
  };
}
