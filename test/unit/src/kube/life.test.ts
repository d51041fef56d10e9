import { describe, expect, it } from "vitest";
import {
  lifeOfCertificate,
  lifeOfToken,
  serviceAccountToken,
  shortest,
} from "../../../../src/kube/life.js";
import { selfSigned } from "./fixture/certificates.js";
import { jwt } from "./fixture/jwt.js";

describe("lifeOfToken", () => {
  it("is what the token says, in ms", () => {
    expect(lifeOfToken(jwt({ iat: 100, exp: 200 }))).toEqual({
      beganAtMs: 100_000,
      endsAtMs: 200_000,
    });
  });

  it("ends when it is meant to, not when the server would have patience no more", () => {
    const token = jwt({ iat: 100, exp: 31_536_100, "kubernetes.io": { warnafter: 3_707 } });

    expect(lifeOfToken(token)?.endsAtMs).toBe(3_707_000);
  });

  it.each(["", "opaque", "a.b.c", "k8s-aws-v1.abc", jwt({ iat: 1 }), jwt({ exp: "soon" })])(
    "is unknown of %s",
    (token) => {
      expect(lifeOfToken(token)).toBeUndefined();
    },
  );
});

describe("serviceAccountToken", () => {
  const sub = "system:serviceaccount:k8s-sync:svc-ferry";

  it("says whose it is, for whom, and with what it ends", () => {
    const about = { namespace: "k8s-sync", secret: { name: "s", uid: "u" } };
    const token = jwt({ sub, aud: ["api"], iat: 1, exp: 2, "kubernetes.io": about });

    expect(serviceAccountToken(token)).toEqual({
      namespace: "k8s-sync",
      name: "svc-ferry",
      audiences: ["api"],
      boundTo: { kind: "Secret", name: "s", uid: "u" },
      life: { beganAtMs: 1000, endsAtMs: 2000 },
    });
  });

  it("never ends when it says no end", () => {
    expect(serviceAccountToken(jwt({ sub }))).toMatchObject({ life: undefined, audiences: [] });
  });

  it("is none when it is somebody else's", () => {
    expect(serviceAccountToken(jwt({ sub: "alice", exp: 2 }))).toBeUndefined();
  });
});

describe("lifeOfCertificate", () => {
  it("is the certificate's", () => {
    const life = lifeOfCertificate(selfSigned("x").cert);

    expect((life?.endsAtMs ?? 0) - (life?.beganAtMs ?? 0)).toBe(2 * 86_400_000);
  });

  it("is unknown of what is none", () => {
    expect(lifeOfCertificate("nonsense")).toBeUndefined();
  });
});

describe("shortest", () => {
  it("is the one that ends first, of those that end", () => {
    const [one, two] = [1, 2].map((endsAtMs) => ({ beganAtMs: 0, endsAtMs }));

    expect(shortest([two, undefined, one])).toEqual(one);
    expect(shortest([undefined])).toBeUndefined();
  });
});
