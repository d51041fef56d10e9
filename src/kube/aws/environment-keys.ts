/** Keys in AWS_ACCESS_KEY_ID and its like. */
import type { AwsKeys } from "./keys.js";
import type { Absent, AwsSurroundings } from "./provider.js";

export async function environmentKeys({ env }: AwsSurroundings): Promise<AwsKeys | Absent> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = env;
  if (accessKeyId === "" && secretAccessKey === "")
    return { absent: "AWS_ACCESS_KEY_ID is not set" };
  if (accessKeyId === "" || secretAccessKey === "") {
    throw new Error("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set");
  }
  const sessionToken = env["AWS_SESSION_TOKEN"] || undefined;
  return { accessKeyId, secretAccessKey, sessionToken, endsAtMs: undefined };
}
