import { describe, expect, it } from "vitest";
import { layerOf } from "../../../../src/doctor/reach-layers.js";
import { RetryableError } from "../../../../src/ports/errors.js";

const withCode = (code: string): Error => Object.assign(new Error("no"), { code });

describe("layerOf", () => {
  it.each([
    ["ENOTFOUND", "DNS: no such host"],
    ["ECONNREFUSED", "TCP: refused"],
    ["UND_ERR_CONNECT_TIMEOUT", "TCP: no answer"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS: unknown CA"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS: wrong name"],
    ["CERT_HAS_EXPIRED", "TLS: certificate expired"],
  ])("tells %s", (code, layer) => {
    const error = new RetryableError("FERRY-K001", "b: get /readyz: no", { cause: withCode(code) });

    expect(layerOf(error)?.layer).toBe(layer);
  });

  it("looks into what several addresses of a host said", () => {
    const all = new AggregateError([withCode("ECONNREFUSED"), withCode("ENETUNREACH")]);

    expect(layerOf(new RetryableError("FERRY-K001", "no", { cause: all }))?.layer).toBe(
      "TCP: refused",
    );
  });

  it("says nothing of an error without a layer", () => {
    expect(layerOf(new RetryableError("FERRY-K001", "no"))).toBeUndefined();
    expect(
      layerOf(new RetryableError("FERRY-K001", "no", { cause: withCode("toString") })),
    ).toBeUndefined();
    expect(layerOf("text")).toBeUndefined();
  });
});
