/**
 * IMDSv2: the role of the node itself. The last resort: every pod of the node is then the same person. Source: Amazon
 * EC2 User Guide, "Use the Instance Metadata Service".
 */
import { isRecord, parseJson, text } from "../json.js";
import type { Clock } from "../../ports/clock.js";
import { containerAnswer } from "./container-keys.js";
import { type AwsAnswer, askAws } from "./http.js";
import type { AwsKeys } from "./keys.js";
import type { Absent, AwsSurroundings } from "./provider.js";

/** It answers at once or not at all: beyond the hop limit, or not on EC2, packets vanish. */
const LIMIT_MS = 1_000;
const ADDRESS = "http://169.254.169.254";
const ROLES_PATH = "/latest/meta-data/iam/security-credentials/";
/** Used for two requests. */
const SESSION_SECONDS = "60";

export async function instanceKeys({ env, clock }: AwsSurroundings): Promise<AwsKeys | Absent> {
  if ((env["AWS_EC2_METADATA_DISABLED"] ?? "").toLowerCase() === "true") {
    return { absent: "AWS_EC2_METADATA_DISABLED is true" };
  }
  const address = (env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || ADDRESS).replace(/\/+$/, "");
  const session = await sessionToken(clock, address);
  if (typeof session !== "string") return session;
  const get = async (path: string): Promise<AwsAnswer> => {
    const headers = { "x-aws-ec2-metadata-token": session };
    return askAws(clock, { method: "GET", url: address + path, headers, limitMs: LIMIT_MS });
  };
  const roles = await get(ROLES_PATH);
  const role = roles.text.trim().split("\n", 1).join("");
  if (roles.status === 404 || role === "") return { absent: "the instance has no role" };
  const answer = await get(ROLES_PATH + encodeURIComponent(role));
  const body = parseJson(answer.text);
  if (answer.status !== 200 || !isRecord(body)) {
    throw new Error(`${new URL(address).host} answered ${answer.status} for role ${role}`);
  }
  if (text(body["Code"]) !== "Success") {
    throw new Error(`role ${role}: ${text(body["Code"])} ${text(body["Message"])}`);
  }
  return containerAnswer(body);
}

/** Who does not answer here is most often no EC2 at all, so this is no failure but a reason. */
async function sessionToken(clock: Clock, address: string): Promise<string | Absent> {
  try {
    const answer = await askAws(clock, {
      method: "PUT",
      url: `${address}/latest/api/token`,
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": SESSION_SECONDS },
      limitMs: LIMIT_MS,
    });
    return answer.status === 200
      ? answer.text.trim()
      : { absent: `${new URL(address).host} answered ${answer.status}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : "no answer";
    return {
      absent: `${why}; on EC2 a pod reaches it with a metadata hop limit of 2, better is Pod Identity or IRSA`,
    };
  }
}
