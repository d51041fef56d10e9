import { beforeEach, describe, expect, it } from "vitest";
import { KubeconfigCommand } from "../../../src/kubeconfig-command.js";
import type { KubeObject } from "../../../src/ports/kube-api.js";
import { NAMESPACES, SECRETS } from "../../../src/ports/kube-resources.js";
import type { CredentialQuestion } from "../../../src/ports/made-credential.js";
import { rfc3339 } from "../../../src/ports/timestamps.js";
import { Inspected } from "../../fixtures/inspected.js";

const HOUR = 3_600_000;
const PATH = "/api/v1/namespaces/svc-ferry/serviceaccounts/svc-ferry/token";
const BOUND: CredentialQuestion = {
  namespace: "svc-ferry",
  name: "svc-ferry",
  server: undefined,
  token: { kind: "bound", durationMs: 24 * HOUR },
};
const LASTING: CredentialQuestion = { ...BOUND, token: { kind: "lasting", secret: "the-token" } };

let cluster: Inspected;

beforeEach(() => {
  cluster = new Inspected("b");
  cluster.facts = { ...cluster.facts, ca: "PEM" };
});

function make(question: CredentialQuestion) {
  const { clock } = cluster;
  const command = new KubeconfigCommand({ open: async () => cluster, clock });
  return command.make({ name: "b", access: { kind: "in-cluster" } }, question);
}

function given(hours: number): string {
  const expirationTimestamp = rfc3339(cluster.clock.now() + hours * HOUR);
  cluster.answers.set(PATH, {
    status: 201,
    body: { status: { token: "t0", expirationTimestamp } },
  });
  return expirationTimestamp;
}

describe("svc-ferry kubeconfig", () => {
  it("asks for a token that ends, and tells when by what the server says", async () => {
    const expires = given(24);

    expect(await make(BOUND)).toEqual({
      kind: "made",
      server: "https://x",
      ca: "PEM",
      token: "t0",
      expires,
      warnings: [expect.stringContaining(`the token ends at ${expires}`)],
    });
    expect(cluster.asked).toMatchObject([
      { method: "POST", path: PATH, body: { spec: { expirationSeconds: 86_400 } } },
    ]);
    expect(cluster.closed).toBe(1);
  });

  it("says so when the server gives less", async () => {
    const expires = given(1);

    expect(await make(BOUND)).toMatchObject({
      expires,
      warnings: [
        `the server gives less than it was asked for: until ${expires}`,
        expect.anything(),
      ],
    });
  });

  it("takes another address", async () => {
    given(24);

    expect(await make({ ...BOUND, server: "https://y" })).toMatchObject({ server: "https://y" });
  });

  it.each([
    [404, "kubectl apply -k manifests/destination"],
    [403, "may create serviceaccounts/token"],
    [422, "--duration"],
    [500, "try again"],
  ])("cannot, with the way out, when the server says %i", async (status, fix) => {
    cluster.answers.set(PATH, { status, body: { message: "no", status: "Failure" } });

    const answer = await make(BOUND);

    expect(answer).toMatchObject({
      kind: "cannot",
      problem: `b gives no token of ServiceAccount svc-ferry/svc-ferry: ${status} no`,
      fix: expect.stringContaining(fix),
    });
    expect(cluster.closed).toBe(1);
  });

  it("takes the token of a Secret, and warns that it never ends", async () => {
    cluster.memory.create(NAMESPACES, { metadata: { name: "svc-ferry" } });
    const annotations = { "kubernetes.io/service-account.name": "svc-ferry" };
    const metadata = { namespace: "svc-ferry", name: "the-token", annotations };
    const data = { token: Buffer.from("t1").toString("base64") };
    cluster.memory.create(SECRETS, { metadata, data } as KubeObject);

    expect(await make(LASTING)).toMatchObject({
      kind: "made",
      token: "t1",
      expires: undefined,
      warnings: [expect.stringContaining("never ends")],
    });
  });

  it("cannot without that Secret, or with another account's", async () => {
    cluster.memory.create(NAMESPACES, { metadata: { name: "svc-ferry" } });
    const missing = await make(LASTING);
    const metadata = { namespace: "svc-ferry", name: "the-token" };
    cluster.memory.create(SECRETS, { metadata, data: { token: "dDE=" } } as KubeObject);

    expect(missing).toMatchObject({ problem: "there is no Secret svc-ferry/the-token in b" });
    expect(await make(LASTING)).toMatchObject({
      problem: "Secret svc-ferry/the-token holds no token of the ServiceAccount svc-ferry",
    });
  });
});
