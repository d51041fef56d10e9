import { describe, expect, it } from "vitest";
import { eksStanza, regionOfServer } from "../../../../../src/kube/aws/eks-stanza.js";

function stanza(command: string, args: string, env: Readonly<Record<string, string>> = {}) {
  return eksStanza({ apiVersion: "v1", command, args: args.split(" "), env });
}

const nothingElse = {
  region: undefined,
  roleArn: undefined,
  externalId: undefined,
  sessionName: undefined,
  profile: undefined,
  env: {},
};

describe("eksStanza", () => {
  it("recognises what aws eks update-kubeconfig writes", () => {
    const written = "--region eu-west-1 eks get-token --cluster-name blue --output json";

    expect(stanza("aws", written)).toEqual({
      ...nothingElse,
      cluster: "blue",
      region: "eu-west-1",
    });
  });

  it("takes role, profile and variables with it", () => {
    const args = "eks get-token --cluster-name blue --role-arn arn:aws:iam::1:role/r --profile=p";

    expect(stanza("/usr/local/bin/aws", args, { AWS_REGION: "x" })).toEqual({
      ...nothingElse,
      cluster: "blue",
      roleArn: "arn:aws:iam::1:role/r",
      profile: "p",
      env: { AWS_REGION: "x" },
    });
  });

  it("takes the id of a local cluster on Outposts", () => {
    expect(stanza("aws", "eks get-token --cluster-id 1-2-3")?.cluster).toBe("1-2-3");
  });

  it("recognises the older form", () => {
    const args = "token -i blue -r arn:aws:iam::1:role/r -s me --external-id e";

    expect(stanza("aws-iam-authenticator", args)).toEqual({
      ...nothingElse,
      cluster: "blue",
      roleArn: "arn:aws:iam::1:role/r",
      sessionName: "me",
      externalId: "e",
    });
  });

  it.each([
    ["aws", "eks get-token --cluster-name blue --endpoint-url https://elsewhere"],
    ["aws", "eks get-token"],
    ["aws", "eks describe-cluster --cluster-name blue"],
    ["aws-iam-authenticator", "token -i blue --forward-session-name"],
    ["gke-gcloud-auth-plugin", "eks get-token --cluster-name blue"],
  ])("leaves %s %s to the program", (command, args) => {
    expect(stanza(command, args)).toBeUndefined();
  });
});

describe("regionOfServer", () => {
  it.each([
    ["https://ABC.gr7.eu-west-1.eks.amazonaws.com", "eu-west-1"],
    ["https://ABC.sk1.cn-north-1.eks.amazonaws.com.cn", "cn-north-1"],
    ["https://10.0.0.1:6443", undefined],
    ["nonsense", undefined],
  ])("of %s is %s", (server, region) => {
    expect(regionOfServer(server)).toBe(region);
  });
});
