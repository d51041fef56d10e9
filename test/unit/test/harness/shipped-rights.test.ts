import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../../src/config/load.js";
import type { Config } from "../../../../src/config/config.js";
import { granted, installedObjects } from "../../../fixtures/installed-objects.js";
import { textOf } from "../../../fixtures/source-text.js";
import type { Manifest } from "../../../harness/manifest.js";
import { destinationRights, sourceRights } from "../../../harness/shipped-rights.js";

const SHIPPED = {
  source: rights("manifests/source"),
  destination: rights("manifests/destination"),
};
const ACCOUNT = { namespace: "svc-ferry", name: "svc-ferry" };
const EXACT = { account: ACCOUNT, suffix: "one", everywhere: false, makesSecret: false };

function rights(folder: string): readonly Manifest[] {
  return installedObjects(folder).filter(({ kind }) => /^(Cluster)?Role(Binding)?$/.test(kind));
}

function configuration(flags: Readonly<Record<string, string | boolean>> = {}): Config {
  const loaded = loadConfig({
    flags: { config: "ferry.yaml", ...flags },
    env: { HOSTNAME: "pod" },
    readFile: () => textOf("manifests/source/ferry.yaml"),
  });
  if (loaded.kind === "invalid") throw new Error("ferry.yaml is invalid");
  return loaded.config;
}

describe("the rights of an installation", () => {
  it("are the shipped ones for the shipped configuration", () => {
    const config = configuration();

    const source = sourceRights(SHIPPED, { ...EXACT, config });
    const destination = destinationRights(SHIPPED, { ...EXACT, config }, config.routes);

    expect(granted(source)).toEqual(granted(SHIPPED.source));
    expect(granted(destination)).toEqual(granted(SHIPPED.destination));
    const bindings = [...source, ...destination].filter(({ kind }) => kind.endsWith("Binding"));
    expect(bindings.map(({ roleRef }) => roleRef)).toEqual(
      bindings.map(({ metadata, roleRef }) => ({ ...(roleRef as object), name: metadata.name })),
    );
    const subject = { kind: "ServiceAccount", ...ACCOUNT };
    expect(new Set(bindings.map(({ subjects }) => JSON.stringify(subjects)))).toEqual(
      new Set([JSON.stringify([subject])]),
    );
  });

  it("are in its namespaces, and for its objects by name", () => {
    const flags = { srcNs: "shop", dstNs: "prod", leaderElectionName: "boat" };
    const config = configuration({ ...flags, leaderElectionNamespace: "harbour" });

    const source = granted(sourceRights(SHIPPED, { ...EXACT, config }));
    const destination = granted(destinationRights(SHIPPED, { ...EXACT, config }, config.routes));

    expect(namespaces(source)).toEqual(["cluster", "harbour", "shop"]);
    expect(namespaces(destination)).toEqual(["cluster", "default", "prod", "svc-ferry"]);
    expect(source.filter(({ resource }) => resource === "leases")).toEqual([
      expect.objectContaining({ verb: "get", name: "boat" }),
      expect.objectContaining({ verb: "update", name: "boat" }),
      expect.objectContaining({ verb: "create", name: undefined }),
    ]);
    expect(destination).toContainEqual(
      expect.objectContaining({ resource: "namespaces", verb: "get", name: "prod" }),
    );
  });

  it("are in all namespaces where that is asked for, and those of one's own namespace are not", () => {
    const config = configuration({ createNamespace: true });
    const request = { ...EXACT, config, everywhere: true };

    const source = granted(sourceRights(SHIPPED, request));
    const destination = granted(destinationRights(SHIPPED, request, config.routes));

    expect(namespaces(source)).toEqual(["cluster", "k8s-sync"]);
    expect(namespaces(destination)).toEqual(["cluster", "default", "svc-ferry"]);
    expect(destination).toContainEqual({
      group: "",
      resource: "namespaces",
      verb: "create",
      namespace: undefined,
      name: undefined,
    });
  });
});

function namespaces(all: readonly { readonly namespace: string | undefined }[]): readonly string[] {
  return [...new Set(all.map(({ namespace = "cluster" }) => namespace))].toSorted();
}
