import { describe, expect, it } from "vitest";
import {
  destinationRights,
  sourceRights,
  type NeededRight,
  type RightsQuestion,
} from "../../../../src/domain/needed-rights.js";
import { route } from "../../../fixtures/route.js";

const QUESTION: RightsQuestion = {
  routes: [route().from("shop").to("prod")],
  endpoints: "both",
  lease: { namespace: "k8s-sync", name: "leader" },
  webhook: { on: false, certsMode: "self", configuration: "svc-ferry", secret: "tls" },
  kubeconfigSecret: undefined,
  account: { namespace: "ferry", name: "account" },
};

/** "verb resource namespace/name", "*" for all or any. */
function texts(rights: readonly NeededRight[]): readonly string[] {
  return rights.map(
    ({ right, verb, namespace, name }) =>
      `${verb} ${right.resource} ${namespace ?? "*"}/${name ?? "*"}`,
  );
}

describe("sourceRights", () => {
  it("asks in the routes' namespaces, in the Lease's, for these namespaces and for kube-system", () => {
    expect(texts(sourceRights(QUESTION))).toEqual([
      "get namespaces */kube-system",
      "get namespaces */shop",
      "get services shop/*",
      "list services shop/*",
      "watch services shop/*",
      "get endpointslices shop/*",
      "list endpointslices shop/*",
      "watch endpointslices shop/*",
      "get leases k8s-sync/leader",
      "update leases k8s-sync/leader",
      "create leases k8s-sync/*",
      "create events shop/*",
      "patch events shop/*",
      "create events k8s-sync/*",
      "patch events k8s-sync/*",
    ]);
  });

  it("asks for all namespaces as soon as one route takes them all", () => {
    const routes = [route().from("shop"), route("everything").fromAll()];

    expect(texts(sourceRights({ ...QUESTION, routes }))).toContain("watch services */*");
    expect(texts(sourceRights({ ...QUESTION, routes }))).not.toContain("watch services shop/*");
  });

  it("asks for no namespace by name where no Role goes with one", () => {
    const routes = [route().from("shop"), route("everything").fromAll().to("{namespace}")];

    const of = (rights: readonly NeededRight[]): readonly string[] =>
      texts(rights).filter((one) => one.startsWith("get namespaces"));

    expect(of(sourceRights({ ...QUESTION, routes }))).toEqual(["get namespaces */kube-system"]);
    expect(of(destinationRights({ ...QUESTION, routes }, "b", "link"))).toEqual([
      "get namespaces */kube-system",
    ]);
  });

  it("asks for the Secret and both configurations by name with the webhook on", () => {
    const webhook = { ...QUESTION.webhook, on: true };

    const added = texts(sourceRights({ ...QUESTION, webhook })).slice(
      sourceRights(QUESTION).length,
    );

    expect(added).toEqual([
      ...["get", "list", "watch", "update"].map((verb) => `${verb} secrets k8s-sync/tls`),
      ...["mutating", "validating"].flatMap((kind) =>
        ["get", "list", "watch", "patch"].map(
          (verb) => `${verb} ${kind}webhookconfigurations */svc-ferry`,
        ),
      ),
    ]);
  });

  it("leaves the configurations to others where others make the certificate", () => {
    const webhook = { ...QUESTION.webhook, on: true, certsMode: "cert-manager" as const };

    const all = texts(sourceRights({ ...QUESTION, webhook }));

    expect(all.filter((one) => one.startsWith("patch") && !one.includes("events"))).toEqual([]);
  });
});

describe("rights for renewed tokens", () => {
  const renewing = { ...QUESTION, kubeconfigSecret: "destination" };
  const added = (question: RightsQuestion): readonly string[] => {
    const before = [...sourceRights(QUESTION), ...destinationRights(QUESTION, "b", "link")];
    const after = [...sourceRights(question), ...destinationRights(question, "b", "link")];
    return texts(after).filter((one) => !texts(before).includes(one));
  };

  it("are asked for where a Secret for them is named: its own token there, that Secret here", () => {
    expect(added(renewing)).toEqual([
      "get secrets k8s-sync/destination",
      "update secrets k8s-sync/destination",
      "create serviceaccounts/token ferry/account",
    ]);
  });

  it("are asked for in the source alone when nobody knows the destination's account", () => {
    expect(added({ ...renewing, account: undefined })).toEqual([
      "get secrets k8s-sync/destination",
      "update secrets k8s-sync/destination",
    ]);
  });
});

describe("destinationRights", () => {
  it("asks in the mapped namespaces of that destination only", () => {
    const routes = [route().to("prod"), route("other").into("c").to("elsewhere")];

    const all = texts(destinationRights({ ...QUESTION, routes }, "b", "the-link"));

    expect(all.filter((one) => one.includes("elsewhere"))).toEqual([]);
    expect(all.filter((one) => one.includes(" services "))).toEqual([
      ...["get", "list", "watch", "create", "patch", "delete"].map(
        (verb) => `${verb} services prod/*`,
      ),
      "get services default/kubernetes",
      "list services */*",
    ]);
    expect(all).toContain("update leases prod/the-link");
    expect(all).toContain("get namespaces */prod");
  });

  it("asks for no write of the kind that --endpoints leaves out", () => {
    const written = (endpoints: RightsQuestion["endpoints"]): readonly string[] =>
      texts(destinationRights({ ...QUESTION, endpoints }, "b", "link")).filter((one) =>
        /^(?:create|patch) endpoint/.test(one),
      );

    expect(written("slices")).toEqual([
      "create endpointslices prod/*",
      "patch endpointslices prod/*",
    ]);
    expect(written("endpoints")).toEqual(["create endpoints prod/*", "patch endpoints prod/*"]);
  });

  it("asks to create namespaces only where a route creates them", () => {
    const creating = [route().with({ createNamespace: true })];

    expect(texts(destinationRights(QUESTION, "b", "link"))).not.toContain("create namespaces */*");
    expect(texts(destinationRights({ ...QUESTION, routes: creating }, "b", "link"))).toContain(
      "create namespaces */*",
    );
  });

  it("does not look for strays where everything is watched anyhow", () => {
    const routes = [route().fromAll().to("{namespace}")];

    const services = destinationRights({ ...QUESTION, routes }, "b", "link").filter(
      ({ right, verb }) => right.resource === "services" && verb === "list",
    );

    expect(services.map(({ right }) => right.feature)).toEqual(["core"]);
  });
});
