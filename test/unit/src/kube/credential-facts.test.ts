import { describe, expect, it } from "vitest";
import type { Credential } from "../../../../src/kube/credential.js";
import { credentialFacts } from "../../../../src/kube/credential-facts.js";
import { selfSigned } from "../../../controlplane/self-signed.js";

const NONE: Credential = {
  origin: "https://x",
  basePath: "",
  headers: [],
  tls: {},
  life: undefined,
  connectionId: "1",
  id: "1",
};
const TOKEN: Credential = { ...NONE, headers: ["authorization", "Bearer e30.e30.c2ln"] };

describe("credentialFacts", () => {
  it("tells when a token was made and when it ends", () => {
    const life = { beganAtMs: 1_700_000_000_000, endsAtMs: 1_700_003_600_000 };

    expect(credentialFacts({ ...TOKEN, life })).toEqual({
      server: "https://x",
      kind: "token",
      ca: undefined,
      issuedAtMs: 1_700_000_000_000,
      expiresAtMs: 1_700_003_600_000,
    });
  });

  it("knows of no end where the credential says none", () => {
    expect(credentialFacts(TOKEN)).toMatchObject({ kind: "token", expiresAtMs: undefined });
  });

  it("tells a client certificate, and that there is nothing", () => {
    const { cert } = selfSigned("me");

    expect(credentialFacts({ ...NONE, tls: { cert } }).kind).toBe("client-certificate");
    expect(credentialFacts(NONE)).toMatchObject({ kind: "none", expiresAtMs: undefined });
  });

  it("holds nothing secret", () => {
    expect(JSON.stringify(credentialFacts(TOKEN))).not.toContain("e30");
  });
});
