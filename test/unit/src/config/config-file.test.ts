import { describe, expect, it } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import { loadConfig } from "../../../../src/config/load.js";
import { problemLine } from "../../../../src/config/problems.js";

const load = (file: string, flags: Readonly<Record<string, string>> = {}) =>
  loadConfig({
    flags: { config: "ferry.yaml", ...flags },
    env: { HOSTNAME: "pod-1" },
    readFile: () => file,
  });

function config(file: string, flags?: Readonly<Record<string, string>>): Config {
  const result = load(file, flags);
  if (result.kind === "invalid") throw new Error(result.problems.map(problemLine).join("\n"));
  return result.config;
}

function problems(file: string, flags?: Readonly<Record<string, string>>): readonly string[] {
  const result = load(file, flags);
  return result.kind === "invalid" ? result.problems.map(problemLine) : [];
}

const FULL = `
logFormat: json
createNamespace: on
destinations:
  - name: b
    context: eks-b
    kubeconfig: /etc/b
  - context: eks-c
    paused: true
  - inCluster: true
routes:
  - name: shop
    destination: b
    namespaces: [shop, cart, shop]
    selector: env in (prod)
    markLabel: mirror=yes
    target: { namespace: "prod-{namespace}", name: "{name}-a" }
    targets: { namespaces: [kube-system] }
    copyAnnotations: [example.com/owner]
    addressCIDRs: [10.0.0.0/8, "fd00::/8"]
    createNamespace: false
    paused: true
  - name: all
    destination: eks-c
    namespaces: "*"
    target: { namespace: everything }
  - name: here
    destination: in-cluster
    namespaces: [shop]
    target: { namespace: there }
`;

describe("the --config file", () => {
  it("gives many destinations, named after their contexts unless they say otherwise", () => {
    expect(config(FULL, { kubeconfig: "/etc/all" }).destinations).toEqual([
      {
        name: "b",
        access: { kind: "kubeconfig", path: "/etc/b", context: "eks-b" },
        paused: false,
      },
      {
        name: "eks-c",
        access: { kind: "kubeconfig", path: "/etc/all", context: "eks-c" },
        paused: true,
      },
      { name: "in-cluster", access: { kind: "in-cluster" }, paused: false },
    ]);
  });

  it("gives many routes with everything that a route can say", () => {
    expect(config(FULL).routes[0]).toEqual({
      name: "shop",
      destination: "b",
      namespaces: ["shop", "cart"],
      selector: {
        text: "env in (prod)",
        requirements: [{ key: "env", operator: "in", values: ["prod"] }],
      },
      mark: { key: "mirror", value: "yes" },
      target: {
        namespace: "prod-{namespace}",
        name: "{name}-a",
        allowedNamespaces: ["kube-system"],
      },
      copyAnnotations: ["example.com/owner"],
      addressCidrs: ["10.0.0.0/8", "fd00::/8"],
      createNamespace: false,
      paused: true,
    });
  });

  it("fills what a route leaves out from the settings", () => {
    expect(config(FULL, { syncLabel: "x=y" }).routes[1]).toEqual({
      name: "all",
      destination: "eks-c",
      namespaces: "all",
      selector: { text: "x=y", requirements: [{ key: "x", operator: "=", values: ["y"] }] },
      mark: { key: "x", value: "y-external" },
      target: { namespace: "everything", name: "{name}", allowedNamespaces: [] },
      copyAnnotations: [],
      addressCidrs: [],
      createNamespace: true,
      paused: false,
    });
  });

  it("does not create namespaces for routes unless it is told to", () => {
    const file = "routes: [{ name: a, namespaces: [x], target: { namespace: y } }]";

    expect(config(file).routes[0]?.createNamespace).toBe(false);
  });

  it("sends a route without destination to the only one", () => {
    const file = "routes: [{ name: a, namespaces: [x], target: { namespace: y } }]";

    expect(config(file).routes[0]?.destination).toBe("external-cluster");
  });

  it("may be empty", () => {
    expect(config("# nothing yet\n").routes).toHaveLength(1);
  });
});

describe("mistakes in the --config file", () => {
  it("are all reported at once, each with its line", () => {
    const file = `
logLevl: debug
httpPort:
destinations:
  - name: b
    contxt: eks-b
routes:
  - name: one
    namespaces: [Shop, "cart"]
    selector: "a=b=c"
    target: { namespace: "x-{nmespace}", nam: y }
    addressCIDRs: [10.0.0.0/99]
    paused: "yes"
  - destination: b
    namespaces: shop
    target: {}
    copyAnnotations: [svc-ferry.io/source]
`;

    const found = problems(file).map((line) => line.replace(/; allowed: .*?(?=; did you|$)/, ""));

    expect(found).toEqual([
      "ferry.yaml:2 logLevl: is not a known key; did you mean logLevel?",
      "ferry.yaml:3 httpPort: is not a single value",
      "ferry.yaml:6 destinations[0].contxt: is not a known key; did you mean context?",
      'ferry.yaml:9 routes[0].namespaces[0]: "Shop" is not valid',
      'ferry.yaml:10 routes[0].selector: "a=b=c" has "=" where a comma or the end should be',
      'ferry.yaml:11 routes[0].target.namespace: "x-{nmespace}" is not valid',
      "ferry.yaml:11 routes[0].target.nam: is not a known key; did you mean name?",
      'ferry.yaml:12 routes[0].addressCIDRs[0]: "10.0.0.0/99" is not valid',
      'ferry.yaml:13 routes[0].paused: "yes" is not true or false',
      "ferry.yaml:14 routes[1].name: is missing",
      'ferry.yaml:15 routes[1].namespaces: "shop" is not valid',
      "ferry.yaml:16 routes[1].target.namespace: is missing",
      'ferry.yaml:17 routes[1].copyAnnotations[0]: "svc-ferry.io/source" is never copied',
    ]);
  });

  it("include broken YAML and keys that stand twice", () => {
    expect(problems("a: [1,\nb")[0]).toMatch(/^ferry.yaml:2: is not valid YAML/);
    expect(problems("srcNs: a\nsrcNs: b")).toEqual([
      expect.stringMatching(/^ferry.yaml:2: is not valid YAML/),
    ]);
    expect(problems("- a")).toEqual(["ferry.yaml: is not a map of keys"]);
  });

  it("include a file that cannot be read", () => {
    const result = loadConfig({
      flags: { config: "/nowhere" },
      env: { HOSTNAME: "p" },
      readFile: () => {
        throw new Error("ENOENT");
      },
    });

    expect(result.kind === "invalid" && result.problems.map(problemLine)).toEqual([
      '--config: "/nowhere" cannot be read: ENOENT',
    ]);
  });

  it("include names that stand twice and destinations that are not there", () => {
    const file = `
destinations: [{ context: east }, { name: east, context: b }, { context: west }]
routes:
  - { name: a, destination: east, namespaces: [x], target: { namespace: y } }
  - { name: a, destination: eats, namespaces: [x], target: { namespace: y } }
  - { name: a, destination: east, namespaces: [x], target: { namespace: z } }
  - { name: c, namespaces: [x], target: { namespace: z } }
`;

    expect(problems(file)).toEqual([
      'ferry.yaml:2 destinations[1].name: "east" is the name of two destinations',
      'ferry.yaml:5 routes[1].destination: "eats" is not a destination; allowed: east, west; did you mean east?',
      "ferry.yaml:7 routes[3].destination: is missing; allowed: east, west",
      'ferry.yaml:6 routes[2].name: "a" is the name of two routes',
    ]);
  });

  it("include settings of the one route that k8s-svc-sync had, beside a list", () => {
    const file = `
destinations: [{ context: b }]
routes: [{ name: a, namespaces: [x], target: { namespace: y } }]
`;

    expect(problems(file, { srcNs: "x", dstContext: "c" })).toEqual([
      '--dst-context: "c" is given together with destinations in the file; give the one or the other',
      '--src-ns: "x" is given together with routes in the file; give the one or the other',
    ]);
  });

  it("include several destinations without routes, and a destination without a cluster", () => {
    expect(problems("destinations: [{ context: a }, { context: b }]")).toEqual([
      "--config: lists several destinations, but no routes to them",
    ]);
    expect(problems("destinations: [{ name: a }]")).toEqual([
      expect.stringContaining("ferry.yaml:1 destinations[0]: names no cluster"),
    ]);
    expect(problems("destinations: [{ context: a, inCluster: true }]")).toEqual([
      expect.stringContaining("says inCluster and a context"),
    ]);
  });

  it("include namespaces of Kubernetes that a template would reach by accident", () => {
    const route = (namespaces: string, target: string) =>
      `routes: [{ name: a, namespaces: ${namespaces}, target: { namespace: "${target}" } }]`;

    expect(problems(route("[kube-system]", "{namespace}"))).toHaveLength(1);
    expect(problems(route("[a]", "kube-{namespace}"))).toHaveLength(1);
    expect(problems(route("[a]", "kube-system"))).toEqual([]);
    expect(problems(route('"*"', "{namespace}"))).toEqual([]);
  });

  it("include templates that make names too long", () => {
    const file = `routes: [{ name: a, namespaces: [${"n".repeat(60)}], target: { namespace: "prod-{namespace}" } }]`;

    expect(problems(file)).toEqual([expect.stringContaining("which is not a valid name")]);
  });

  it("cannot forge lines of their own", () => {
    const [line] = problems('routes: "a\\nERROR everything is on fire"');

    expect(line).not.toContain("\n");
  });
});
