import { describe, expect, it } from "vitest";
import { authority } from "../../../certs/authority.js";
import { carryOut } from "../../../certs/carry-out.js";
import { EMPTY, type Holding } from "../../../certs/holding.js";
import { DEFAULT_ROTATION } from "../../../certs/rotation-settings.js";
import {
  parseOffers,
  parseSecret,
  renderSecret,
  type Secret,
} from "../../../certs/secret-content.js";
import { newCa, NOW } from "../../fixtures/certificates.js";

const WANTED = { serving: ["web.ns.svc"], "hand-off": ["hand-off.svc-ferry.internal"] };

function situation(holding: Holding) {
  const settings = DEFAULT_ROTATION;
  return { holding, wanted: WANTED, published: [], nextSeenMs: undefined, settings, nowMs: NOW };
}

const created = carryOut({ kind: "create", reason: "unusable" }, situation(EMPTY), authority);
const step = { kind: "trust", reason: "requested", salvaged: [] } as const;
const trusting = carryOut(step, situation(created), authority);
const bare: Secret = { metadata: { namespace: "ns", name: "tls" } };
const full = renderSecret(bare, trusting);

function text(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? "", "base64").toString();
}

/** The Secret with other data. */
function having(data: Readonly<Record<string, string>>): Secret {
  const encoded = Object.entries(data).map(([key, value]) => [
    key,
    Buffer.from(value).toString("base64"),
  ]);
  return { ...full, data: { ...full.data, ...Object.fromEntries(encoded) } };
}

describe("the Secret's content", () => {
  it("is read back as it was written", () => {
    expect(parseSecret(full)).toEqual({ ...trusting, requested: undefined });
    expect(parseSecret(renderSecret(bare, created))).toEqual(created);
  });

  it("has the keys that a Secret of type kubernetes.io/tls must have, whatever is held", () => {
    const empty = renderSecret(bare, EMPTY);

    expect(empty.data).toMatchObject({ "tls.crt": "", "tls.key": "" });
    expect(text(full, "tls.crt")).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(text(full, "tls.key")).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(text(full, "ca.crt").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it("leaves type, labels, annotations and keys of others alone, and takes away what is over", () => {
    const theirs = {
      ...full,
      type: "kubernetes.io/tls",
      metadata: { ...full.metadata, annotations: { a: "b" }, labels: { c: "d" } },
      data: { ...full.data, theirs: "eA==" },
    };

    const rendered = renderSecret(theirs, created);

    expect(rendered).toMatchObject({
      type: "kubernetes.io/tls",
      metadata: { annotations: { a: "b" }, labels: { c: "d" } },
      data: { theirs: "eA==" },
    });
    expect(rendered.data).not.toHaveProperty("next-ca.key");
  });

  it("knows a request by its annotation and takes it away once it is done", () => {
    const asked = {
      ...full,
      metadata: { ...full.metadata, annotations: { "svc-ferry.io/rotate": "ca" } },
    };
    const nonsense = {
      ...full,
      metadata: { ...full.metadata, annotations: { "svc-ferry.io/rotate": "all" } },
    };

    expect(parseSecret(asked).requested).toBe("ca");
    expect(parseSecret(nonsense).requested).toBeUndefined();
    expect(renderSecret(asked, { ...trusting, requested: "ca" }).metadata.annotations).toEqual({
      "svc-ferry.io/rotate": "ca",
    });
    expect(renderSecret(asked, trusting).metadata.annotations).toEqual({});
  });

  it("holds nothing when the Secret is missing or empty", () => {
    expect(parseSecret(undefined)).toEqual(EMPTY);
    expect(parseSecret(bare)).toEqual(EMPTY);
  });

  it.each<[string, Readonly<Record<string, string>>, Partial<Holding>]>([
    [
      "the bundle",
      { "ca.crt": "rubbish" },
      { cas: [], signer: undefined, next: undefined, leaves: {} },
    ],
    ["the CA's key", { "ca.key": "rubbish" }, { signer: undefined }],
    ["another CA's key", { "ca.key": newCa().key }, { signer: undefined }],
    ["the next CA's key", { "next-ca.key": "" }, { next: undefined }],
    ["the stamp key", { "stamp.key": "c2hvcnQ=" }, { stampKeys: undefined }],
  ])("holds what is left when %s is broken", (_, data, expected) => {
    const { requested, ...rest } = trusting;

    expect(parseSecret(having(data))).toEqual({ ...rest, requested, ...expected });
  });

  it("does without a leaf whose certificate or key is broken or another's", () => {
    const { "hand-off": handOff } = trusting.leaves;
    const of = (data: Readonly<Record<string, string>>) =>
      Object.keys(parseSecret(having(data)).leaves);

    expect(of({ "tls.crt": "rubbish" })).toEqual(["hand-off"]);
    expect(of({ "tls.key": handOff?.key ?? "" })).toEqual(["hand-off"]);
    expect(of({ "hand-off.key": "" })).toEqual(["serving"]);
  });

  it("offers replicas everything, also what is broken", () => {
    const { serving, handOff, stampKeys } = parseOffers(having({ "tls.crt": "rubbish" }));

    expect(serving).toMatchObject({ cert: "rubbish", key: trusting.leaves.serving?.key });
    expect(handOff.ca?.match(/BEGIN/g)).toHaveLength(2);
    expect(stampKeys).toEqual(trusting.stampKeys);
  });
});
