/**
 * The token that lets an IAM identity into an EKS cluster: a request to STS, signed in advance, that the cluster sends in
 * our place to learn who we are. Making one needs keys and no network. Source: kubernetes-sigs/aws-iam-authenticator,
 * pkg/token/token.go; awscli customizations/eks/get_token.py.
 */
import type { AwsKeys } from "./keys.js";
import { payloadOf, presignedUrl } from "./sigv4.js";
import { stsHost } from "./sts-host.js";

const PREFIX = "k8s-aws-v1.";
/** Signed with the rest, so that a token for one cluster opens no other. */
const CLUSTER_HEADER = "x-k8s-aws-id";
/** As the CLI. The authenticator does not look at it; STS itself refuses the URL after that. */
const URL_EXPIRES_SECONDS = 60;
/** The authenticator takes it for 15 minutes after its date; as the CLI, a minute less. */
export const TOKEN_LIFE_MS = 14 * 60_000;

export function eksToken(
  {
    cluster,
    region,
    nowMs,
  }: { readonly cluster: string; readonly region: string; readonly nowMs: number },
  keys: AwsKeys,
): string {
  const request = {
    method: "GET",
    host: stsHost(region),
    path: "/",
    query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
    headers: { [CLUSTER_HEADER]: cluster },
    payload: payloadOf(""),
  } as const;
  const url = presignedUrl(request, { region, service: "sts", nowMs }, keys, URL_EXPIRES_SECONDS);
  return PREFIX + Buffer.from(url).toString("base64url");
}
