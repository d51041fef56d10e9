/** Who answers to a credential, asked before anything is entrusted to it. */
import { TerminalError } from "../ports/errors.js";
import type { Credential } from "./credential.js";
import { isRecord, parseJson, text } from "./json.js";
import type { SingleRequests } from "./single-request.js";
import { failureOf, statusOf } from "./status.js";

const PATH = "/api/v1/namespaces/kube-system";

/**
 * The UID of the cluster's kube-system; undefined: the cluster knows who asks and does not let them read that.
 * @throws RetryableError, TerminalError as a request's answer demands (401: FERRY-K005)
 */
export async function introduce(
  credential: Credential,
  requests: SingleRequests,
): Promise<string | undefined> {
  const answer = await requests.ask(credential, { method: "GET", path: PATH });
  if (answer.status === 403 && statusOf(answer) !== undefined) return undefined;
  if (answer.status !== 200) throw failureOf(`${credential.origin}: get ${PATH}`, answer);
  const namespace = parseJson(answer.body.toString("utf8"));
  const metadata = isRecord(namespace) ? namespace["metadata"] : undefined;
  const uid = isRecord(metadata) ? text(metadata["uid"]) : "";
  if (uid === "") throw new TerminalError("FERRY-K007", `${credential.origin} is no API server`);
  return uid;
}
