import { beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Outcome } from "../../../../src/doctor/check.js";
import { policyCheck } from "../../../../src/doctor/policy-check.js";
import type { Account } from "../../../../src/ports/doctor-report.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import {
  VALIDATING_POLICIES,
  VALIDATING_POLICY_BINDINGS,
} from "../../../../src/ports/kube-resources.js";
import { Inspected } from "../../../fixtures/inspected.js";
import { route } from "../../../fixtures/route.js";
import { textOf } from "../../../fixtures/source-text.js";

const [POLICY, BINDING] = parseAllDocuments(textOf("manifests/destination/policy.yaml")).map(
  (document) => document.toJS() as KubeObject,
);
const ACCOUNT: Account = { kind: "service-account", namespace: "svc-ferry", name: "svc-ferry" };
const DENIED =
  "services \"svc-ferry-probe\" is forbidden: ValidatingAdmissionPolicy 'svc-ferry-mirrors' with binding 'svc-ferry-mirrors' denied request: this object mirrors";
const WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

let cluster: Inspected;

beforeEach(() => {
  cluster = new Inspected("bb");
});

function install(policy: object = {}, binding: object | "none" = {}): void {
  cluster.memory.create(VALIDATING_POLICIES, { ...POLICY, ...policy } as KubeObject);
  if (binding === "none") return;
  cluster.memory.create(VALIDATING_POLICY_BINDINGS, { ...BINDING, ...binding } as KubeObject);
}

function refusing(message: string): void {
  cluster.rehearse = async () => Promise.reject(new RetryableError("FERRY-K006", message));
}

function outcome(account: Account = ACCOUNT, routes = [route()]): Promise<Outcome> {
  const check = policyCheck(cluster.subject("destination"), { routes, account });
  return check.run(new AbortController().signal);
}

describe("dst-policy", () => {
  it("is right as the manifests have it, where it stops whoever asks", async () => {
    install();
    refusing(DENIED);

    expect(await outcome()).toEqual({
      result: "ok",
      message: "svc-ferry-mirrors is bound, and stops whoever asks here",
    });
  });

  it("is right where it lets svc-ferry itself through, as that account or by name", async () => {
    install();
    const named = { username: "system:serviceaccount:svc-ferry:svc-ferry" };
    cluster.answers.set(WHO, { status: 201, body: { status: { userInfo: named } } });

    const expected = { result: "ok", message: expect.stringContaining("lets svc-ferry through") };
    expect(await outcome({ kind: "self" })).toMatchObject(expected);
    expect(await outcome()).toMatchObject(expected);
  });

  it("fails where it stops svc-ferry itself", async () => {
    install();
    refusing(DENIED);

    expect(await outcome({ kind: "self" })).toMatchObject({
      result: "fail",
      message: expect.stringMatching(/^the policy stops svc-ferry itself: /),
    });
  });

  it("warns where it is missing", async () => {
    expect(await outcome()).toMatchObject({
      result: "warn",
      message: "no ValidatingAdmissionPolicy keeps others from changing mirrors",
    });
  });

  it.each<[string, object | "none", RegExp]>([
    ["nothing", "none", /^policy svc-ferry-mirrors is there, and nothing binds it/],
    [
      "warnings only",
      { spec: { policyName: "svc-ferry-mirrors", validationActions: ["Warn", "Audit"] } },
      /is bound to Warn and Audit only: it stops nobody$/,
    ],
    [
      "another policy",
      { spec: { policyName: "another", validationActions: ["Deny"] } },
      /nothing binds it/,
    ],
  ])("warns where the binding is of %s", async (_, binding, message) => {
    install({}, binding);

    expect(await outcome()).toMatchObject({
      result: "warn",
      message: expect.stringMatching(message),
    });
  });

  it("warns of what the API server finds in its expressions, and of a policy that lets people through", async () => {
    install({
      status: { typeChecking: { expressionWarnings: [{ warning: "no such field\nat" }] } },
    });
    const mistaken = await outcome();
    cluster = new Inspected("bb");
    install();

    expect(mistaken).toMatchObject({
      result: "warn",
      message: expect.stringMatching(/finds fault with: no such field$/),
    });
    expect(await outcome()).toMatchObject({
      result: "warn",
      message: "policy svc-ferry-mirrors is bound, and lets whoever asks make a mirror in prod",
    });
  });

  it("does not judge by a create that something else stopped, or that cannot be tried", async () => {
    install();
    refusing("services is forbidden: User may not create");
    const noRight = await outcome();
    cluster.rehearse = async () => ({ result: { kind: "not-found" }, warnings: [] });
    const noNamespace = await outcome();
    const nowhere = await outcome(ACCOUNT, [route().fromAll().to("{namespace}")]);

    expect([noRight, noNamespace, nowhere].map(({ result }) => result)).toEqual(["ok", "ok", "ok"]);
    expect(noRight.message).toContain("not tried: services is forbidden");
    expect(noNamespace.message).toContain("not tried: prod: not-found");
    expect(nowhere.message).toBe("svc-ferry-mirrors is bound");
  });
});
