/**
 * IRSA: a ServiceAccount token that the role's trust policy accepts. EKS's webhook sets both variables in the pod. The
 * token is read each time: the kubelet exchanges it.
 */
import { readFile } from "node:fs/promises";
import type { AwsKeys } from "./keys.js";
import type { Absent, AwsSurroundings } from "./provider.js";

export async function webIdentityKeys(around: AwsSurroundings): Promise<AwsKeys | Absent> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file = "", AWS_ROLE_ARN: arn = "" } = around.env;
  if (file === "") return { absent: "AWS_WEB_IDENTITY_TOKEN_FILE is not set" };
  if (arn === "") throw new Error("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
  return keysForToken(around, { arn, file });
}

/** The same with role and file from elsewhere. @throws Error when the file cannot be read or STS refuses */
export async function keysForToken(
  { env, sts }: AwsSurroundings,
  { arn, file }: { readonly arn: string; readonly file: string },
): Promise<AwsKeys> {
  const token = (await readFile(file, "utf8")).trim();
  if (token === "") throw new Error(`${file} is empty`);
  const sessionName = env["AWS_ROLE_SESSION_NAME"] || "svc-ferry";
  return sts.assumeRoleWithWebIdentity({ arn, sessionName }, token);
}
