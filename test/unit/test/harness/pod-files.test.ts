import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Answer } from "../../../harness/cluster.js";
import type { Stored } from "../../../harness/manifest.js";
import { withOwnCluster, writeMounts } from "../../../harness/pod-files.js";
import type { PodObject } from "../../../harness/pod-object.js";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "svc-ferry-mounts-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const META = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };

function stored(kind: string, name: string, data: Readonly<Record<string, string>>): Stored {
  return { apiVersion: "v1", kind, metadata: { ...META, namespace: "ns", name }, data };
}

/** A cluster that holds these objects and makes tokens. */
function holding(...objects: readonly Stored[]) {
  return {
    get: async (kind: string, _: string | undefined, name: string) =>
      objects.find((one) => one.kind === kind && one.metadata.name === name),
    request: async (): Promise<Answer> => ({
      status: 201,
      body: { status: { token: "made" } },
      warnings: [],
    }),
  };
}

const POD: PodObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { ...META, namespace: "ns", name: "pod" },
  spec: {
    serviceAccountName: "account",
    containers: [
      {
        name: "main",
        image: "none",
        volumeMounts: [
          { name: "secret", mountPath: "/etc/secret" },
          { name: "account", mountPath: "/var/account" },
        ],
      },
    ],
    volumes: [
      { name: "secret", secret: { secretName: "mine" } },
      {
        name: "account",
        projected: {
          sources: [
            { serviceAccountToken: { path: "token", expirationSeconds: 3_607 } },
            { configMap: { name: "ca", items: [{ key: "ca.crt", path: "root.crt" }] } },
            {
              downwardAPI: {
                items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }],
              },
            },
          ],
        },
      },
    ],
  },
};

function mounted(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

describe("the mounts of a pod without a kubelet", () => {
  it("hold what Secrets, ConfigMaps, tokens and the pod itself say", async () => {
    const secret = stored("Secret", "mine", { key: Buffer.from("text").toString("base64") });

    await writeMounts(holding(secret, stored("ConfigMap", "ca", { "ca.crt": "PEM" })), POD, root);

    expect(mounted("etc/secret/key")).toBe("text");
    expect(mounted("var/account/token")).toBe("made");
    expect(mounted("var/account/root.crt")).toBe("PEM");
    expect(mounted("var/account/namespace")).toBe("ns");
  });

  it("are waited for: a pod whose Secret is not there cannot start", async () => {
    await expect(writeMounts(holding(), POD, root)).rejects.toThrow("mine is not there");
  });

  it("make the pod's own cluster one more context of the kubeconfig", () => {
    const text = "current-context: there\nclusters: [{ name: there }]\n";

    const made = withOwnCluster(text, { context: "here", server: "https://a", folder: "/sa" });

    expect(parse(made)).toEqual({
      "current-context": "there",
      clusters: [
        { name: "there" },
        {
          name: "here",
          cluster: { server: "https://a", "certificate-authority": "/sa/ca.crt" },
        },
      ],
      users: [{ name: "here", user: { tokenFile: "/sa/token" } }],
      contexts: [{ name: "here", context: { cluster: "here", user: "here" } }],
    });
  });
});
