/** AWS's own published examples. Their signatures were computed by AWS, not by us. */
import { describe, expect, it } from "vitest";
import {
  payloadOf,
  presignedUrl,
  type Signable,
  signedHeaders,
} from "../../../../../src/kube/aws/sigv4.js";

/** Of the "Signature Version 4 Test Suite". */
const suite = {
  scope: { region: "us-east-1", service: "service", nowMs: Date.parse("2015-08-30T12:36:00Z") },
  keys: {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    sessionToken: undefined,
    endsAtMs: undefined,
  },
};

const UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function request(differs: Partial<Signable> = {}): Signable {
  const host = "example.amazonaws.com";
  return {
    method: "GET",
    host,
    path: "/",
    query: {},
    headers: {},
    payload: payloadOf(""),
    ...differs,
  };
}

function signatureOf(differs: Partial<Signable>): string | undefined {
  const { authorization } = signedHeaders(request(differs), suite.scope, suite.keys);
  return authorization?.split("Signature=")[1];
}

describe("signedHeaders", () => {
  it.each<[string, Partial<Signable>, string]>([
    ["get-vanilla", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "get-vanilla-query-order-key-case",
      { query: { Param2: "value2", Param1: "value1" } },
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "get-vanilla-query-unreserved",
      { query: { [UNRESERVED]: UNRESERVED } },
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ],
    [
      "get-vanilla-utf8-query",
      { query: { ሴ: "bar" } },
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ],
    [
      "post-vanilla",
      { method: "POST" },
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
    [
      "post-x-www-form-urlencoded",
      {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        payload: payloadOf("Param1=value1"),
      },
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
  ])("signs %s of the test suite as AWS does", (_name, differs, signature) => {
    expect(signatureOf(differs)).toBe(signature);
  });

  it("names what it signed, and for whom", () => {
    expect(signedHeaders(request(), suite.scope, suite.keys)).toEqual({
      "x-amz-date": "20150830T123600Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        "SignedHeaders=host;x-amz-date, " +
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    });
  });

  it("signs the ListUsers request of the IAM guide", () => {
    const scope = { ...suite.scope, service: "iam" };
    const listUsers = request({
      host: "iam.amazonaws.com",
      query: { Action: "ListUsers", Version: "2010-05-08" },
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    });

    expect(signedHeaders(listUsers, scope, suite.keys)["authorization"]).toMatch(
      /Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/,
    );
  });

  it("signs the session token of temporary keys", () => {
    const keys = { ...suite.keys, sessionToken: "session" };

    expect(signedHeaders(request(), suite.scope, keys)).toMatchObject({
      "x-amz-security-token": "session",
      authorization: expect.stringContaining("SignedHeaders=host;x-amz-date;x-amz-security-token"),
    });
  });
});

describe("presignedUrl", () => {
  it("gives the URL of the S3 reference's example", () => {
    const scope = { region: "us-east-1", service: "s3", nowMs: Date.parse("2013-05-24T00:00:00Z") };
    const keys = {
      ...suite.keys,
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    };
    const object = request({
      host: "examplebucket.s3.amazonaws.com",
      path: "/test.txt",
      payload: "UNSIGNED-PAYLOAD",
    });

    expect(presignedUrl(object, scope, keys, 86_400)).toBe(
      "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256" +
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
  });
});
