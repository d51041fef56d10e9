import { describe, expect, it } from "vitest";
import { excessCheck } from "../../../../src/doctor/excess-check.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import { sourceRights } from "../../../../src/domain/needed-rights.js";
import type { Account } from "../../../../src/ports/doctor-report.js";
import { Inspected } from "../../../fixtures/inspected.js";
import { route } from "../../../fixtures/route.js";

const PATH = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const SELF: Account = { kind: "self" };
const NEEDED = sourceRights({
  routes: [route().from("shop")],
  endpoints: "both",
  lease: { namespace: "k8s-sync", name: "leader" },
  webhook: { on: false, certsMode: "self", configuration: "svc-ferry", secret: "tls" },
  kubeconfigSecret: undefined,
  account: undefined,
});
const READ_SERVICES = { verbs: ["get"], apiGroups: [""], resources: ["services"] };

async function outcome(
  status: object | undefined,
  account: Account = SELF,
): Promise<{ readonly outcome: Outcome; readonly cluster: Inspected }> {
  const cluster = new Inspected("a");
  cluster.answers.set(PATH, { status: 201, body: { status } });
  const parts = { account, namespace: "k8s-sync" };
  const check = excessCheck(cluster.subject(), NEEDED, parts);
  return { outcome: await check.run(new AbortController().signal), cluster };
}

describe("src-rbac-excess", () => {
  it("is right where each namespace allows what is needed there", async () => {
    const nothing = await outcome({ resourceRules: null });

    expect(nothing.outcome).toEqual({
      result: "ok",
      message: "nothing is granted that is not needed",
    });
    const asked = nothing.cluster.asked.map(({ body }) => body?.["spec"]);
    expect(asked).toEqual([{ namespace: "shop" }, { namespace: "k8s-sync" }]);
  });

  it("warns of what is needed elsewhere only, with the namespace", async () => {
    const { outcome: found } = await outcome({ resourceRules: [READ_SERVICES] });

    expect(found).toMatchObject({
      result: "warn",
      message: "more is granted than is needed: get services in k8s-sync",
    });
  });

  it("says once what holds in every namespace, and that a list is not complete", async () => {
    const rules = [{ verbs: ["*"], apiGroups: [""], resources: ["secrets"] }];

    const { outcome: found } = await outcome({ resourceRules: rules, incomplete: true });

    expect(found.message).toBe(
      "more is granted than is needed: * secrets (as far as the list goes: the authorizer says that it is not complete)",
    );
  });

  it("is skipped for an account that does not ask itself", async () => {
    const account = { kind: "service-account", namespace: "k8s-sync", name: "svc-ferry" } as const;

    const { outcome: found, cluster } = await outcome(undefined, account);

    expect(found).toMatchObject({
      result: "skip",
      remedy: { command: expect.stringContaining("exec deploy/svc-ferry") },
    });
    expect(cluster.asked).toEqual([]);
  });

  it("throws on an answer that is no review", async () => {
    await expect(outcome(undefined)).rejects.toThrow("HTTP 201 for a SelfSubjectRulesReview");
  });
});
