import { describe, expect, it } from "vitest";
import {
  destinationRights,
  type RightsQuestion,
  sourceRights,
} from "../../../../src/domain/needed-rights.js";
import { rightsChecks } from "../../../../src/doctor/rights-checks.js";
import type { Account } from "../../../../src/ports/doctor-report.js";
import { Inspected, outcomeOf } from "../../../fixtures/inspected.js";
import { route } from "../../../fixtures/route.js";

const ACCOUNT: Account = { kind: "service-account", namespace: "k8s-sync", name: "svc-ferry" };
const REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const SELF = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

const QUESTION: RightsQuestion = {
  routes: [route()],
  endpoints: "both",
  lease: { namespace: "k8s-sync", name: "leader" },
  webhook: { on: false, certsMode: "self", configuration: "svc-ferry", secret: "tls" },
  kubeconfigSecret: "destination",
  account: { namespace: "ferry", name: "account" },
};

function checks(cluster: Inspected, account: Account = ACCOUNT, needed = sourceRights(QUESTION)) {
  return rightsChecks(cluster.subject(), needed, { account, namespace: "k8s-sync" });
}

const answering = (path: string, allowed: boolean): Inspected => {
  const cluster = new Inspected("a");
  cluster.answers.set(path, { status: 201, body: { status: { allowed } } });
  return cluster;
};

describe("rights", () => {
  it("are asked one by one, as the account with its three groups", async () => {
    const cluster = answering(REVIEWS, true);

    const outcome = await outcomeOf(checks(cluster), "src-rbac:update:leases");

    expect(outcome).toEqual({
      result: "ok",
      message: "may update leases.coordination.k8s.io in namespace k8s-sync",
    });
    expect(cluster.asked).toHaveLength(1);
    expect(cluster.asked[0]?.body?.["spec"]).toEqual({
      resourceAttributes: {
        verb: "update",
        group: "coordination.k8s.io",
        resource: "leases",
        namespace: "k8s-sync",
        name: "leader",
      },
      user: "system:serviceaccount:k8s-sync:svc-ferry",
      groups: ["system:serviceaccounts", "system:serviceaccounts:k8s-sync", "system:authenticated"],
    });
  });

  it("name the command that grants exactly what is missing", async () => {
    const cluster = answering(REVIEWS, false);

    expect(await outcomeOf(checks(cluster), "src-rbac:update:leases")).toMatchObject({
      result: "fail",
      code: "FERRY-K006",
      remedy: {
        command:
          "kubectl --context ctx-a -n k8s-sync create role svc-ferry-update-leases --verb=update --resource=leases.coordination.k8s.io --resource-name=leader" +
          " && kubectl --context ctx-a -n k8s-sync create rolebinding svc-ferry-update-leases --role=svc-ferry-update-leases --serviceaccount=k8s-sync:svc-ferry",
      },
    });
    expect(await outcomeOf(checks(cluster), "src-rbac:get:namespaces")).toMatchObject({
      remedy: { command: expect.stringContaining("create clusterrolebinding") },
    });
  });

  it("of a subresource are asked for and granted as the authorizer knows them", async () => {
    const cluster = answering(REVIEWS, false);
    const needed = destinationRights(QUESTION, route().destination, "link");

    const id = "src-rbac:create:serviceaccounts/token";
    const outcome = await outcomeOf(checks(cluster, ACCOUNT, needed), id);

    expect(cluster.asked[0]?.body?.["spec"]).toMatchObject({
      resourceAttributes: {
        verb: "create",
        resource: "serviceaccounts",
        subresource: "token",
        namespace: "ferry",
        name: "account",
      },
    });
    expect(outcome).toMatchObject({
      result: "warn",
      remedy: {
        command: expect.stringContaining(
          "-n ferry create role svc-ferry-create-serviceaccounts-token --verb=create --resource=serviceaccounts/token --resource-name=account",
        ),
      },
    });
  });

  it("only warn where svc-ferry does without", async () => {
    const outcome = await outcomeOf(checks(answering(REVIEWS, false)), "src-rbac:create:events");

    expect(outcome.result).toBe("warn");
  });

  it("are asked of oneself in a pod", async () => {
    const cluster = answering(SELF, true);

    const outcome = await outcomeOf(checks(cluster, { kind: "self" }), "src-rbac:get:services");

    expect(outcome.result).toBe("ok");
    expect(cluster.asked[0]?.body).toMatchObject({ kind: "SelfSubjectAccessReview" });
  });

  it("are skipped by whoever may not ask, and not taken for missing", async () => {
    const cluster = new Inspected("a");
    cluster.answers.set(REVIEWS, { status: 403 });

    expect(await outcomeOf(checks(cluster), "src-rbac:get:services")).toMatchObject({
      result: "skip",
      remedy: { command: "kubectl -n k8s-sync exec deploy/svc-ferry -- svc-ferry doctor" },
    });
  });

  it("throw on an answer that is no review", async () => {
    await expect(outcomeOf(checks(new Inspected("a")), "src-rbac:get:services")).rejects.toThrow(
      "HTTP 404 for a SubjectAccessReview",
    );
  });

  it("have a subject each, so that one check is not taken for another", () => {
    const keys = checks(new Inspected("a")).map(({ id, subject }) => `${id} ${subject}`);

    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain("src-rbac:create:events a namespace shop");
    expect(keys).toContain("src-rbac:get:namespaces a kube-system");
  });
});
