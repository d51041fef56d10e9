import { describe, expect, it } from "vitest";
import { calledNames, wantedNames, withBundle } from "../../../certs/webhook-configuration.js";

const metadata = { name: "svc-ferry" };

describe("calledNames", () => {
  it.each<[string, object, readonly string[]]>([
    ["a Service", { service: { namespace: "ns", name: "web" } }, ["web.ns.svc"]],
    ["a URL", { url: "https://Ferry.Example:9443/mutate" }, ["ferry.example"]],
    ["an IPv4 address", { url: "https://10.0.0.1/mutate" }, ["10.0.0.1"]],
    ["an IPv6 address", { url: "https://[FD00::0:1]:1/mutate" }, ["fd00::1"]],
    ["nothing", {}, []],
    ["nonsense", { url: "::" }, []],
  ])("knows the names of %s", (_, clientConfig, names) => {
    const webhooks = [{ clientConfig }, { clientConfig }];

    expect(calledNames({ metadata, webhooks })).toEqual(names);
  });

  it("finds no name where there are no entries", () => {
    expect(calledNames({ metadata })).toEqual([]);
  });
});

describe("wantedNames", () => {
  it("are also those by which people call a Service", () => {
    const webhooks = [
      { clientConfig: { service: { namespace: "ns", name: "web" } } },
      { clientConfig: { url: "https://a.example.org/x" } },
    ];

    expect(wantedNames({ metadata, webhooks })).toEqual([
      "web.ns.svc",
      "web.ns.svc.cluster.local",
      "a.example.org",
    ]);
  });
});

describe("withBundle", () => {
  it("changes the caBundle alone", () => {
    const entry = { name: "a", clientConfig: { url: "https://a", caBundle: "old" }, rules: [{}] };

    expect(withBundle({ metadata, webhooks: [entry] }, "new")).toEqual([
      { ...entry, clientConfig: { url: "https://a", caBundle: "new" } },
    ]);
  });

  it("wants no write when every entry has it", () => {
    expect(
      withBundle({ metadata, webhooks: [{ clientConfig: { caBundle: "x" } }] }, "x"),
    ).toBeUndefined();
    expect(withBundle({ metadata }, "x")).toBeUndefined();
  });
});
