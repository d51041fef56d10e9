import { describe, expect, it } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import type { Environment, Flags } from "../../../../src/config/given.js";
import { loadConfig } from "../../../../src/config/load.js";
import { problemLine } from "../../../../src/config/problems.js";

interface Given {
  readonly flags?: Flags;
  readonly env?: Environment;
  /** Content of "ferry.yaml"; given, it is loaded. */
  readonly file?: string;
}

function load({ flags = {}, env = {}, file }: Given) {
  return loadConfig({
    flags: file === undefined ? flags : { config: "ferry.yaml", ...flags },
    env: { HOSTNAME: "pod-1", ...env },
    readFile: (path) => {
      if (file === undefined || path !== "ferry.yaml") throw new Error("no such file");
      return file;
    },
  });
}

function config(given: Given): Config {
  const result = load(given);
  if (result.kind === "invalid") throw new Error(result.problems.map(problemLine).join("\n"));
  return result.config;
}

function problems(given: Given): readonly string[] {
  const result = load(given);
  return result.kind === "invalid" ? result.problems.map(problemLine) : [];
}

function warnings(given: Given): readonly string[] {
  const result = load(given);
  return result.kind === "ok" ? result.warnings : ["invalid"];
}

describe("loadConfig without anything given", () => {
  it("is k8s-svc-sync's one route with its defaults", () => {
    expect(config({})).toEqual({
      podName: "pod-1",
      source: {
        name: "local-cluster",
        access: { kind: "kubeconfig", path: undefined, context: "local-cluster" },
      },
      destinations: [
        {
          name: "external-cluster",
          access: { kind: "kubeconfig", path: undefined, context: "external-cluster" },
          paused: false,
        },
      ],
      routes: [
        {
          name: "default",
          destination: "external-cluster",
          namespaces: ["default"],
          selector: {
            text: "sync=true",
            requirements: [{ key: "sync", operator: "=", values: ["true"] }],
          },
          mark: { key: "sync", value: "true-external" },
          target: { namespace: "prod-test", name: "{name}", allowedNamespaces: [] },
          copyAnnotations: [],
          addressCidrs: [],
          createNamespace: true,
          paused: false,
        },
      ],
      lease: {
        namespace: "k8s-sync",
        name: "k8s-svc-sync-leader",
        durationMs: 15_000,
        renewDeadlineMs: 10_000,
        retryPeriodMs: 2_000,
      },
      kubeconfigSecret: undefined,
      link: undefined,
      endpoints: "both",
      adopt: "on",
      allowMassDelete: false,
      sweepIntervalMs: 600_000,
      staleRouteGraceMs: 300_000,
      http: { bindAddress: "::", port: 8080, page: "loopback" },
      webhook: {
        on: false,
        port: 9443,
        configuration: "svc-ferry",
        handOff: { port: 9444, address: undefined },
        certs: { mode: "self", directory: "/etc/svc-ferry/certs" },
        changedBy: "full",
      },
      log: { format: "human", level: "info" },
      maxConnections: 16,
    });
  });

  it("freezes the result at every depth", () => {
    const { routes, http } = config({});

    expect(Object.isFrozen(http)).toBe(true);
    expect(Object.isFrozen(routes[0]?.target)).toBe(true);
  });

  it("asks for a pod name when the machine has none", () => {
    expect(problems({ env: { HOSTNAME: undefined } })).toEqual([
      "--pod-name: is required when HOSTNAME is not set",
    ]);
  });
});

describe("precedence", () => {
  const file = "httpPort: 3\nsrcNs: from-file\nsrcContext: ctx";
  const env = { SVC_FERRY_HTTP_PORT: "2", SVC_FERRY_SRC_NS: "from-env" };

  it("lets the flag win over environment, file and default", () => {
    const { http, routes, source, lease } = config({ file, env, flags: { httpPort: "1" } });

    expect(http.port).toBe(1);
    expect(routes[0]?.namespaces).toEqual(["from-env"]);
    expect(source.name).toBe("ctx");
    expect(lease.namespace).toBe("k8s-sync");
  });

  it("leaves $KUBECONFIG to whoever opens a cluster, because it may list several files", () => {
    const { source, destinations } = config({ env: { KUBECONFIG: "/a:/b" } });

    expect(source.access).toMatchObject({ path: undefined });
    expect(destinations.map(({ access }) => access)).toMatchObject([{ path: undefined }]);
  });

  it("prefers our own variable and the file to $KUBECONFIG and $HOSTNAME", () => {
    const { podName, source } = config({
      file: "podName: named",
      env: { KUBECONFIG: "/theirs", SVC_FERRY_KUBECONFIG: "/ours" },
    });

    expect(podName).toBe("named");
    expect(source.access).toMatchObject({ path: "/ours" });
  });

  it("takes an empty variable for one that is not set", () => {
    expect(config({ env: { SVC_FERRY_HTTP_PORT: "" } }).http.port).toBe(8080);
  });

  it("does not take a service link of the kubelet for a setting", () => {
    expect(config({ env: { SVC_FERRY_HTTP_PORT: "tcp://10.0.0.1:80" } }).http.port).toBe(8080);
  });
});

describe("flags", () => {
  it("names the source in-cluster unless --src-context does", () => {
    expect(config({ flags: { inCluster: true } }).source).toEqual({
      name: "in-cluster",
      access: { kind: "in-cluster" },
    });
    expect(config({ flags: { inCluster: "on", srcContext: "eks-a" } }).source.name).toBe("eks-a");
  });

  it("marks mirrors with the single equality of the selector, whatever its key and value", () => {
    expect(config({ flags: { syncLabel: "a.io/x == y" } }).routes[0]?.mark).toEqual({
      key: "a.io/x",
      value: "y-external",
    });
  });

  it.each([
    ["sync in (a,b)"],
    ["sync"],
    ["sync=true,env=prod"],
    ["sync="],
    [`sync=${"x".repeat(60)}`],
  ])("requires --mark-label with the selector %s", (syncLabel) => {
    expect(problems({ flags: { syncLabel } })).toEqual([
      expect.stringContaining("--mark-label: is required with the selector"),
    ]);
    expect(config({ flags: { syncLabel, markLabel: "mirror=yes" } }).routes[0]?.mark).toEqual({
      key: "mirror",
      value: "yes",
    });
  });

  it("refuses a mark that the selector itself selects", () => {
    expect(problems({ flags: { markLabel: "sync=true" } })).toEqual([
      '--mark-label: "sync=true" is selected by sync=true, so each mirror would travel again',
    ]);
  });

  it("accepts any mark when the selector only excludes", () => {
    expect(problems({ flags: { syncLabel: "!legacy", markLabel: "mirror=yes" } })).toEqual([]);
  });

  it("creates the namespace unless it is told not to", () => {
    expect(config({ flags: { createNamespace: "off" } }).routes[0]?.createNamespace).toBe(false);
  });

  it("reports everything that is wrong at once, each by the name under which it was given", () => {
    expect(
      problems({
        flags: { srcNs: "Default", httpPort: "99999" },
        env: { SVC_FERRY_LOG_FORMAT: "xml", SVC_FERRY_SYNC_LABEL: "a=b=c" },
        file: "sweepInterval: 10\nlink: a/b",
      }),
    ).toEqual([
      '--src-ns: "Default" is not valid; allowed: lower-case letters, digits and "-", at most 63 characters',
      'SVC_FERRY_SYNC_LABEL: "a=b=c" has "=" where a comma or the end should be; allowed: a label selector such as sync=true or env in (a,b),!legacy',
      'ferry.yaml:2 link: "a/b" is not valid; allowed: a label value: letters, digits, "-", "_" and ".", 1 to 63 characters',
      'ferry.yaml:1 sweepInterval: "10" has no unit; allowed: a duration such as 500ms, 15s or 1m30s, from 100ms to 576h',
      '--http-port: "99999" is out of range; allowed: a whole number from 0 to 65535',
      'SVC_FERRY_LOG_FORMAT: "xml" is not one of them; allowed: human, json',
    ]);
  });

  it("refuses an empty selector", () => {
    expect(problems({ flags: { syncLabel: "" } })).toEqual([
      expect.stringContaining('--sync-label: "" is empty and would select every Service'),
    ]);
  });

  it("refuses a link of 64 characters and accepts one of 63", () => {
    expect(problems({ flags: { link: "x".repeat(64) } })).toHaveLength(1);
    expect(config({ flags: { link: "x".repeat(63) } }).link).toHaveLength(63);
  });
});

describe("lease timing", () => {
  it("accepts short leases in client-go's proportions", () => {
    const flags = { leaseDuration: "3s", renewDeadline: "2s", retryPeriod: "500ms" };

    expect(config({ flags }).lease).toMatchObject({
      durationMs: 3_000,
      renewDeadlineMs: 2_000,
      retryPeriodMs: 500,
    });
  });

  it("refuses what client-go refuses", () => {
    expect(problems({ flags: { renewDeadline: "15s" } })).toEqual([
      '--renew-deadline: "15s" is not below --lease-duration; allowed: less than 15s',
    ]);
    expect(problems({ flags: { retryPeriod: "10s", renewDeadline: "12s" } })).toEqual([
      '--retry-period: "10s" leaves no room for a second try before --renew-deadline; allowed: less than 10s',
    ]);
  });

  it("refuses fractions of a second, which a Lease cannot say", () => {
    expect(problems({ flags: { leaseDuration: "15500ms" } })).toEqual([
      expect.stringContaining('--lease-duration: "15s500ms" is not in whole seconds'),
    ]);
  });
});

describe("one cluster as source and destination", () => {
  const flags = { srcContext: "kind", dstContext: "kind" };

  it("is refused when Services would map onto themselves", () => {
    expect(problems({ flags: { ...flags, dstNs: "default" } })).toEqual([
      expect.stringContaining('--dst-ns: "default/{name}" gives the Services\' own names'),
    ]);
  });

  it("is fine with another namespace or another kubeconfig", () => {
    expect(problems({ flags })).toEqual([]);
    expect(
      problems({
        file: `
destinations: [{ context: kind, kubeconfig: /other }]
routes: [{ name: a, namespaces: "*", target: { namespace: "{namespace}" } }]
`,
        flags: { srcContext: "kind" },
      }),
    ).toEqual([]);
  });

  it("is refused for all namespaces unless the names differ", () => {
    const route = (target: string) => `
destinations: [{ context: kind }]
routes: [{ name: a, namespaces: "*", target: ${target} }]
`;

    expect(
      problems({ flags: { srcContext: "kind" }, file: route('{ namespace: "{namespace}" }') }),
    ).toHaveLength(1);
    expect(
      problems({ flags: { srcContext: "kind" }, file: route("{ namespace: default }") }),
    ).toHaveLength(1);
    expect(
      problems({
        flags: { srcContext: "kind" },
        file: route('{ namespace: "{namespace}", name: "{name}-b" }'),
      }),
    ).toEqual([]);
  });
});

describe("warnings", () => {
  it("names a variable that is probably a slip, and no service links", () => {
    expect(
      warnings({
        env: {
          SVC_FERRY_HTPP_PORT: "1",
          SVC_FERRY_PORT: "tcp://10.0.0.1:8080",
          SVC_FERRY_SERVICE_HOST: "10.0.0.1",
        },
      }),
    ).toEqual(["SVC_FERRY_HTPP_PORT is not known; did you mean SVC_FERRY_HTTP_PORT?"]);
  });

  it("tells who may read /status when everybody may", () => {
    expect(warnings({ flags: { page: "all" } })).toHaveLength(1);
    expect(warnings({ flags: { page: "all", bindAddress: "127.0.0.1" } })).toEqual([]);
  });
});
