import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { selfSigned } from "../../../controlplane/self-signed.js";

describe("selfSigned", () => {
  it("makes a certificate that is its own CA and fits its key", () => {
    const { cert, key } = selfSigned("test");

    const parsed = new X509Certificate(cert);

    expect(parsed.subject).toBe("CN=test");
    expect(parsed.ca).toBe(true);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  it("is valid for the names and addresses of loopback only", () => {
    const parsed = new X509Certificate(selfSigned("test").cert);

    expect(parsed.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(parsed.checkIP("::1")).toBe("::1");
    expect(parsed.checkHost("localhost")).toBe("localhost");
    expect(parsed.checkIP("192.0.2.1")).toBeUndefined();
  });

  it("never gives two the same serial number", () => {
    const serials = ["a", "a"].map(
      (name) => new X509Certificate(selfSigned(name).cert).serialNumber,
    );

    expect(new Set(serials).size).toBe(2);
  });
});
