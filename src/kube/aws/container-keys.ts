/**
 * EKS Pod Identity, and ECS: an agent on the node gives keys to whoever shows the pod's token. Source: AWS SDKs and Tools
 * Reference Guide, "Container credential provider".
 */
import { readFile } from "node:fs/promises";
import { isRecord, parseJson, text } from "../json.js";
import { parseRfc3339 } from "../../ports/timestamps.js";
import { askAws } from "./http.js";
import type { AwsKeys } from "./keys.js";
import type { Absent, AwsSurroundings } from "./provider.js";

/** Of an agent on the same node. */
const LIMIT_MS = 5_000;
const ECS_AGENT = "http://169.254.170.2";
/** Who may be asked without TLS, besides loopback: the agents of ECS and EKS. A token sent elsewhere is a token lost. */
const PLAIN_HOSTS = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

export async function containerKeys({ env, clock }: AwsSurroundings): Promise<AwsKeys | Absent> {
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] ?? "";
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "";
  if (relative === "" && full === "") {
    return { absent: "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set" };
  }
  const url = relative === "" ? full : ECS_AGENT + relative;
  assertAllowed(url);
  const authorization = await authorizationOf(env);
  const headers = { accept: "application/json", ...(authorization !== "" && { authorization }) };
  const answer = await askAws(clock, { method: "GET", url, headers, limitMs: LIMIT_MS });
  const parsed = parseJson(answer.text);
  const body = isRecord(parsed) ? parsed : {};
  if (answer.status !== 200) {
    const said = `${text(body["code"])} ${text(body["message"])}`.trim();
    throw new Error(`${new URL(url).host} answered ${answer.status} ${said}`.trim());
  }
  return containerAnswer(body);
}

/** Also of IMDS, which answers in the same words. @throws Error when keys are missing */
export function containerAnswer(body: Readonly<Record<string, unknown>>): AwsKeys {
  const accessKeyId = text(body["AccessKeyId"]);
  const secretAccessKey = text(body["SecretAccessKey"]);
  if (accessKeyId === "" || secretAccessKey === "") throw new Error("the answer holds no keys");
  const sessionToken = text(body["Token"]) || undefined;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    endsAtMs: parseRfc3339(text(body["Expiration"])),
  };
}

function assertAllowed(url: string): void {
  if (!URL.canParse(url)) throw new Error("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL");
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:") return;
  const isLoopback = /^127\.\d+\.\d+\.\d+$/.test(hostname) || hostname === "[::1]";
  if (protocol !== "http:" || (!isLoopback && !PLAIN_HOSTS.includes(hostname))) {
    throw new Error(
      `AWS_CONTAINER_CREDENTIALS_FULL_URI leads to ${hostname}, which may be asked over https only`,
    );
  }
}

/** The file wins and is read each time: the kubelet exchanges it. */
async function authorizationOf(env: AwsSurroundings["env"]): Promise<string> {
  const file = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] ?? "";
  if (file === "") return env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] ?? "";
  const token = (await readFile(file, "utf8")).trim();
  if (/[\r\n]/.test(token)) throw new Error(`${file} holds more than one line`);
  return token;
}
