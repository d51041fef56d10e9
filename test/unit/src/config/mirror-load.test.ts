import { describe, expect, it } from "vitest";
import type { Environment, Flags } from "../../../../src/config/given.js";
import { loadConfig } from "../../../../src/config/load.js";
import type { MirrorConfig } from "../../../../src/config/mirror-config.js";
import { loadMirrorConfig, loadMirrorLinkConfig } from "../../../../src/config/mirror-load.js";
import { problemLine } from "../../../../src/config/problems.js";

interface Given {
  readonly flags?: Flags;
  readonly env?: Environment;
  /** Paths that can be read. */
  readonly files?: readonly string[];
  /** Paths that are there and may not be read. */
  readonly forbidden?: readonly string[];
}

const BOTH: Flags = { sourceEndpoints: "http://a:2379", destEndpoints: "http://b:2379" };

function input({ flags = {}, env = {}, files = [], forbidden = [] }: Given) {
  return {
    flags: { ...BOTH, ...flags },
    env: { HOSTNAME: "pod-1", ...env },
    readFile: (path: string) => {
      if (forbidden.includes(path)) throw Object.assign(new Error("denied"), { code: "EACCES" });
      if (!files.includes(path)) throw new Error("no such file");
      return "";
    },
  };
}

function config(given: Given = {}): MirrorConfig {
  const result = loadMirrorConfig(input(given));
  if (result.kind === "invalid") throw new Error(result.problems.map(problemLine).join("\n"));
  return result.config;
}

function problems(given: Given): readonly string[] {
  const result = loadMirrorConfig(input(given));
  return result.kind === "invalid" ? result.problems.map(problemLine) : [];
}

function warnings(given: Given): readonly string[] {
  const result = loadMirrorConfig(input(given));
  return result.kind === "ok" ? result.warnings : ["invalid"];
}

describe("loadMirrorConfig with the endpoints alone", () => {
  it("has etcd-carry's defaults, and for what is new the careful ones", () => {
    expect(config()).toEqual({
      link: "mirror",
      podName: "pod-1",
      source: {
        name: "source",
        endpoints: ["http://a:2379"],
        tls: undefined,
        user: undefined,
        dialTimeoutMs: 2_000,
        keepAliveTimeMs: 5_000,
        keepAliveTimeoutMs: 6_000,
        kubePrefix: "/registry",
        encryption: { path: "/etc/mirror/secrets-encryption.yaml", required: false },
      },
      destination: {
        name: "destination",
        endpoints: ["http://b:2379"],
        tls: undefined,
        user: undefined,
        dialTimeoutMs: 2_000,
        keepAliveTimeMs: 5_000,
        keepAliveTimeoutMs: 6_000,
        kubePrefix: "/registry",
        encryption: { path: "/etc/mirror/secrets-encryption.yaml", required: false },
      },
      mode: "standalone",
      rules: { path: "/etc/mirror/rules.yaml", required: false },
      destinationApi: undefined,
      writing: {
        cold: false,
        maxTxnOps: 128,
        maxWritesPerSecond: 2_000,
        compaction: true,
        onConflict: "skip",
        onDrift: "repair",
        deleteNamespaces: "empty",
        adoptFromLink: undefined,
        acceptNewDestination: false,
        allowPlaintext: false,
        allowMassDelete: false,
      },
      startRevision: 0n,
      encryptionSettleMs: 600_000,
      fullPassIntervalMs: 86_400_000,
      fenceTtlSeconds: 10,
      log: { format: "human", level: "info" },
      http: { bindAddress: "0.0.0.0", port: 10_520, page: "loopback" },
    });
  });

  it("is frozen, and silent", () => {
    expect(Object.isFrozen(config().writing)).toBe(true);
    expect(warnings({})).toEqual([]);
  });

  it("needs both sides", () => {
    const flags = { sourceEndpoints: undefined, destEndpoints: undefined };

    expect(problems({ flags }).map((line) => line.split(";")[0])).toEqual([
      "--source-endpoints: is required",
      "--dest-endpoints: is required",
    ]);
  });
});

describe("endpoints", () => {
  it("are TLS without a scheme, unless --…-insecure-transport says otherwise", () => {
    const flags = { sourceEndpoints: "a:2379, [fd00::1]:2379", destEndpoints: "c:2379" };

    const { source, destination } = config({ flags: { ...flags, destInsecureTransport: true } });

    expect(source.endpoints).toEqual(["https://a:2379", "https://[fd00::1]:2379"]);
    expect(destination.endpoints).toEqual(["http://c:2379"]);
    expect(destination.tls).toBeUndefined();
  });

  it.each(["", "a", "ftp://a:1", "a:0", "a:70000", "a:1,,b:2", "http://a:1/path"])(
    "refuse %j",
    (text) => {
      expect(problems({ flags: { sourceEndpoints: text } })).toHaveLength(1);
    },
  );

  it("must not mix plain text and TLS", () => {
    expect(problems({ flags: { sourceEndpoints: "http://a:1,https://b:2" } })).toEqual([
      '--source-endpoints: "http://a:1,https://b:2" mixes plain text and TLS',
    ]);
  });

  it("must not be the same on both sides with the same keys", () => {
    const flags = { destEndpoints: "http://a:2379" };

    expect(problems({ flags })).toEqual([
      '--dest-endpoints: "http://a:2379" is the source as well, and the prefixes overlap',
    ]);
    expect(problems({ flags: { ...flags, destKubePrefix: "/registry/other" } })).toHaveLength(1);
    expect(problems({ flags: { ...flags, destKubePrefix: "/copy" } })).toEqual([]);
  });

  it("are taken under etcd-carry's older names", () => {
    const flags = { ...BOTH, sourceEndpoints: undefined, masterEndpoints: "http://m:1" };

    expect(config({ flags }).source.endpoints).toEqual(["http://m:1"]);
    expect(problems({ flags: { masterEndpoints: "http://m:1" } })).toEqual([
      "--source-endpoints: is given together with its older name --master-endpoints",
    ]);
  });
});

describe("TLS", () => {
  const tls = { sourceEndpoints: "a:1" };
  const own = ["ca.crt", "server.crt", "server.key"].map(
    (name) => `/etc/kubernetes/source/etcd/${name}`,
  );
  const older = own.map((path) => path.replace("source", "master"));

  it("takes the default files that are there", () => {
    expect(config({ flags: tls, files: own }).source.tls).toEqual({
      caFile: own[0],
      client: { certFile: own[1], keyFile: own[2] },
      skipVerify: false,
    });
  });

  it("takes etcd-carry's older default files when there are no others", () => {
    expect(config({ flags: tls, files: older }).source.tls).toMatchObject({
      caFile: older[0],
      client: { certFile: older[1], keyFile: older[2] },
    });
  });

  it("does without files that nobody named", () => {
    expect(config({ flags: tls }).source.tls).toEqual({
      caFile: undefined,
      client: undefined,
      skipVerify: false,
    });
  });

  it("refuses default files that are there and may not be read, and takes no key from elsewhere", () => {
    const [ca = "", cert = "", key = ""] = own;

    expect(problems({ flags: tls, files: [ca, cert, ...older], forbidden: [key] })).toEqual([
      `--source-key: "${key}" cannot be read: denied`,
    ]);
  });

  it("refuses a file that somebody named and that cannot be read, and a certificate without its key", () => {
    const flags = { ...tls, sourceCacert: "/x", sourceCert: "/y" };

    expect(problems({ flags, files: ["/y"] })).toEqual([
      '--source-cacert: "/x" cannot be read: no such file',
      '--source-key: "/etc/kubernetes/source/etcd/server.key" has no file, but --source-cert has: a client certificate needs both',
    ]);
  });
});

describe("settings that belong together", () => {
  it.each<[Flags, string]>([
    [{ destContext: "b" }, '--dest-context: "b" is given without --dest-kubeconfig'],
    [{ destUser: "root" }, "--dest-password-file: is required beside --dest-user"],
    [{ destPasswordFile: "/p" }, "--dest-user: is required beside --dest-password-file"],
    [{ fenceTtl: "2500ms" }, "is not in whole seconds"],
    [{ kubePrefix: "/svc-ferry/x" }, "holds the mirror's records"],
    [{ rev: "9223372036854775808" }, "is out of range"],
  ])("%j is a problem", (flags, text) => {
    expect(problems({ flags }).join("\n")).toContain(text);
  });

  it("are told all at once, each with what is allowed", () => {
    const flags = { mode: "both", bindPort: "x", onDrift: "no" };

    expect(problems({ flags, env: { SVC_FERRY_MIRROR_PAGE: "some" } })).toEqual([
      '--mode: "both" is not one of them; allowed: standalone, active-standby',
      '--bind-port: "x" is not a whole number; allowed: a whole number from 0 to 65535',
      '--on-drift: "no" is not one of them; allowed: repair, report',
      'SVC_FERRY_MIRROR_PAGE: "some" is not one of them; allowed: loopback, all',
    ]);
  });

  it.each<[Flags, number | undefined]>([
    [{}, 2_000],
    [{ destCold: true }, undefined],
    [{ maxWritesPerSecond: "0" }, undefined],
    [{ destCold: true, maxWritesPerSecond: "50" }, 50],
  ])("%j limits writes to %j a second", (flags, limit) => {
    expect(config({ flags }).writing.maxWritesPerSecond).toBe(limit);
  });

  it("takes prefix and encryption of one side before those of both", () => {
    const flags = {
      kubePrefix: "/k8s/",
      destKubePrefix: "/registry",
      encryptionProviderConfig: "/both.yaml",
      sourceEncryptionProviderConfig: "/source.yaml",
    };

    const { source, destination } = config({ flags });

    expect([source.kubePrefix, destination.kubePrefix]).toEqual(["/k8s", "/registry"]);
    expect(source.encryption).toEqual({ path: "/source.yaml", required: true });
    expect(destination.encryption).toEqual({ path: "/both.yaml", required: true });
  });

  it("means the debug level by --debug", () => {
    expect(config({ flags: { debug: true } }).log.level).toBe("debug");
  });
});

describe("variables", () => {
  it("have a prefix of their own, so that nothing of `svc-ferry run` reaches the mirror or the other way round", () => {
    const env = { SVC_FERRY_LINK: "core", SVC_FERRY_MIRROR_LINK: "etcd" };

    const core = loadConfig({ flags: {}, env: { HOSTNAME: "p", ...env }, readFile: () => "" });

    expect(config({ env }).link).toBe("etcd");
    expect(core).toMatchObject({ kind: "ok", config: { link: "core" }, warnings: [] });
  });

  it("that are a slip of one are warned of", () => {
    expect(warnings({ env: { SVC_FERRY_MIRROR_LNK: "x" } })).toEqual([
      "SVC_FERRY_MIRROR_LNK is not known; did you mean SVC_FERRY_MIRROR_LINK?",
    ]);
  });
});

describe("warnings", () => {
  it.each<[Flags, string]>([
    [{ keepaliveTime: "3s" }, "--keepalive-time: 3s is raised to 5s"],
    [{ dbPath: "/db" }, "--db-path is not used"],
    [{ page: "all" }, "--page=all: whoever reaches the port"],
  ])("tell that %j is maybe not meant", (flags, text) => {
    expect(warnings({ flags }).join("\n")).toContain(text);
  });

  it("do not tell of a page that only this machine reaches", () => {
    expect(warnings({ flags: { page: "all", bindAddress: "127.0.0.1" } })).toEqual([]);
  });
});

describe("loadMirrorLinkConfig", () => {
  it("asks for nothing of the source", () => {
    const flags = { sourceEndpoints: "nonsense", link: "x" };

    const result = loadMirrorLinkConfig(input({ flags }));

    expect(result).toMatchObject({
      kind: "ok",
      config: { link: "x", destination: { endpoints: ["http://b:2379"] } },
    });
  });
});
