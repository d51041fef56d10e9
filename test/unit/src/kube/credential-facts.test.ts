import { describe, expect, it } from "vitest";
import type { Credential } from "../../../../src/kube/credential.js";
import { credentialFacts } from "../../../../src/kube/credential-facts.js";
import { selfSigned } from "../../../controlplane/self-signed.js";

const NONE: Credential = {
  origin: "https://x",
  basePath: "",
  headers: [],
  tls: {},
  connectionId: "1",
  id: "1",
};

function bearer(claims: unknown): Credential {
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return { ...NONE, headers: ["authorization", `Bearer e30.${payload}.c2ln`] };
}

describe("credentialFacts", () => {
  it("reads when a token was made and when it ends", () => {
    expect(credentialFacts(bearer({ iat: 1_700_000_000, exp: 1_700_003_600 }))).toEqual({
      server: "https://x",
      kind: "token",
      ca: undefined,
      issuedAtMs: 1_700_000_000_000,
      expiresAtMs: 1_700_003_600_000,
    });
  });

  it.each([[bearer({})], [bearer({ exp: "soon" })], [bearer(3)], [bearer(null)]])(
    "knows of no end where a token names none (%#)",
    (credential) => {
      expect(credentialFacts(credential)).toMatchObject({ kind: "token", expiresAtMs: undefined });
    },
  );

  it("takes a token that is no JWT as one without an end", () => {
    const opaque = { ...NONE, headers: ["authorization", "Bearer opaque"] };

    expect(credentialFacts(opaque)).toMatchObject({ kind: "token", expiresAtMs: undefined });
  });

  it("reads the end of a client certificate", () => {
    const { cert } = selfSigned("me");

    expect(credentialFacts({ ...NONE, tls: { cert } })).toMatchObject({
      kind: "client-certificate",
      issuedAtMs: Date.parse("2020-01-01T00:00:00Z"),
      expiresAtMs: Date.parse("2049-12-31T23:59:59Z"),
    });
    expect(credentialFacts({ ...NONE, tls: { cert: "junk" } })).toMatchObject({
      kind: "client-certificate",
      expiresAtMs: undefined,
    });
  });

  it("says that there is none", () => {
    expect(credentialFacts(NONE)).toMatchObject({ kind: "none", expiresAtMs: undefined });
  });

  it("holds nothing secret", () => {
    const secret = bearer({ exp: 1 });

    expect(JSON.stringify(credentialFacts(secret))).not.toContain("e30");
  });
});
