import { beforeEach, describe, expect, it } from "vitest";
import { placementChecks } from "../../../../src/doctor/placement-checks.js";
import type { Route } from "../../../../src/domain/route.js";
import { NAMESPACES } from "../../../../src/ports/kube-resources.js";
import { Inspected, outcomeOf } from "../../../fixtures/inspected.js";
import { route } from "../../../fixtures/route.js";

let source: Inspected;
let destination: Inspected;

beforeEach(() => {
  source = new Inspected("a");
  destination = new Inspected("bb");
});

function checks(...routes: readonly Route[]) {
  return placementChecks(source.subject(), destination.subject("destination"), routes);
}

describe("src-same-dst", () => {
  it("is right for two clusters", async () => {
    expect(await outcomeOf(checks(route()), "src-same-dst")).toEqual({
      result: "ok",
      message: "two clusters",
    });
  });

  it.each([
    [route(), "warn"],
    [route().from("prod"), "fail"],
    [route().fromAll().to("{namespace}"), "fail"],
    [route().fromAll().to("prod"), "warn"],
    [route().from("prod").to("prod", "{name}-b"), "warn"],
  ])("judges one cluster by what its route writes (%#)", async (one, result) => {
    destination = source;

    expect((await outcomeOf(checks(one), "src-same-dst")).result).toBe(result);
  });
});

describe("dst-ns", () => {
  it("is right where the namespace is there, or is made by the route", async () => {
    const made = route().with({ createNamespace: true });
    const before = await outcomeOf(checks(made), "dst-ns");
    destination.memory.create(NAMESPACES, { metadata: { name: "prod" } });

    expect(before).toEqual({ result: "ok", message: "prod is created with the first mirror" });
    expect(await outcomeOf(checks(route()), "dst-ns")).toEqual({
      result: "ok",
      message: "prod is there",
    });
  });

  it("fails where it is missing", async () => {
    expect(await outcomeOf(checks(route()), "dst-ns")).toMatchObject({
      result: "fail",
      code: "namespace-missing",
      remedy: { command: "kubectl --context ctx-bb create namespace prod" },
    });
  });

  it("says of the first one that without it nothing is written at all", async () => {
    const all = checks(route().to("first"), route().to("second"));
    const said = await Promise.all(
      ["first", "second"].map(async (name) => {
        const own = all.filter(({ subject }) => subject?.endsWith(name) === true);
        return (await outcomeOf(own, "dst-ns")).message;
      }),
    );

    expect(said).toEqual([
      "namespace first does not exist; it is the first that the routes map to: the Lease of the link lies there, and without it nothing is written to bb",
      "namespace second does not exist",
    ]);
  });

  it("fails where it is being deleted", async () => {
    destination.memory.create(NAMESPACES, { metadata: { name: "prod" } });
    destination.memory.delete(NAMESPACES, { name: "prod" });

    expect(await outcomeOf(checks(route()), "dst-ns")).toMatchObject({
      result: "fail",
      code: "namespace-terminating",
    });
  });

  it("looks at each mapped namespace, and at none where all may be", () => {
    const ids = (...routes: readonly Route[]) =>
      checks(...routes)
        .filter(({ id }) => id === "dst-ns")
        .map(({ subject }) => subject);

    expect(ids(route().allowing("stage"))).toEqual(["bb prod", "bb stage"]);
    expect(ids(route().fromAll().to("{namespace}"))).toEqual([]);
  });
});
