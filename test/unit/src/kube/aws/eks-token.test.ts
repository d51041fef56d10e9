import { describe, expect, it } from "vitest";
import { eksToken } from "../../../../../src/kube/aws/eks-token.js";
import { admit } from "./fixture/authenticator.js";

const nowMs = Date.parse("2026-01-01T00:00:00Z");
const keys = {
  accessKeyId: "AKID",
  secretAccessKey: "s3cret",
  sessionToken: "session/with+signs==",
  endsAtMs: undefined,
};

describe("eksToken", () => {
  it.each([
    ["eu-west-1", "sts.eu-west-1.amazonaws.com"],
    ["us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"],
    ["cn-north-1", "sts.cn-north-1.amazonaws.com.cn"],
    ["us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"],
  ])("is admitted in %s, by way of %s", (region, host) => {
    const token = eksToken({ cluster: "blue", region, nowMs }, keys);

    expect(admit(token, "blue", "s3cret", nowMs)).toEqual({
      host,
      accessKeyId: "AKID",
      sessionToken: "session/with+signs==",
    });
  });

  it("holds no parameter for a session that there is not", () => {
    const token = eksToken(
      { cluster: "blue", region: "eu-west-1", nowMs },
      { ...keys, sessionToken: undefined },
    );

    expect(admit(token, "blue", "s3cret", nowMs).sessionToken).toBeUndefined();
  });

  it("opens no other cluster, and none after 15 minutes", () => {
    const token = eksToken({ cluster: "blue", region: "eu-west-1", nowMs }, keys);

    expect(() => admit(token, "green", "s3cret", nowMs)).toThrow("SignatureDoesNotMatch");
    expect(() => admit(token, "blue", "s3cret", nowMs + 900_001)).toThrow("expired");
  });
});
