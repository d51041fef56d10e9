import { describe, expect, it } from "vitest";
import {
  inClusterContext,
  parseContext,
  readKubeconfigs,
} from "../../../../src/kube/cluster-context.js";
import { kubeconfig, withScratch } from "./fixture/opened.js";

describe("inClusterContext", () => {
  it("reads address and token of the pod's ServiceAccount", () => {
    const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

    expect(inClusterContext(env, "/sa")).toMatchObject({
      name: "in-cluster",
      cluster: { server: "https://10.0.0.1:443", caFile: "/sa/ca.crt", skipTLSVerify: false },
      tokenFile: "/sa/token",
    });
  });

  it("puts an IPv6 address into brackets", () => {
    const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };

    expect(inClusterContext(env).cluster.server).toBe("https://[fd00::1]:443");
  });
});

describe("kubeconfig files", () => {
  it("are those of $KUBECONFIG when no path is given, and the first that knows a name wins", async () => {
    await withScratch(async ({ write }) => {
      const first = await write("a", kubeconfig({ server: "https://a" }, { token: "a" }, "blue"));
      const second = await write("b", kubeconfig({ server: "https://b" }, { token: "b" }, "green"));

      const files = await readKubeconfigs(undefined, { KUBECONFIG: `${first}:${second}` });

      expect(parseContext(files, "green")).toMatchObject({
        name: "green",
        cluster: { server: "https://a" },
      });
      expect(parseContext(files, "").name).toBe("blue");
      expect(() => parseContext(files, "red")).toThrow("it has blue, green");
    });
  });

  it("are passed over when they do not exist, as kubectl does, unless none does", async () => {
    await withScratch(async ({ write }) => {
      const there = await write("a", kubeconfig({ server: "https://a" }, { token: "a" }, "blue"));

      const files = await readKubeconfigs(undefined, { KUBECONFIG: `/nowhere:${there}` });

      expect(files.map(({ path }) => path)).toEqual([there]);
      await expect(
        readKubeconfigs(undefined, { KUBECONFIG: "/nowhere:/nor/here" }),
      ).rejects.toThrow("kubeconfig /nowhere cannot be read (ENOENT");
      await expect(readKubeconfigs("/nowhere", { KUBECONFIG: there })).rejects.toThrow(
        "kubeconfig /nowhere cannot be read (ENOENT",
      );
    });
  });

  it("find what they name relative to themselves", () => {
    const user = { "client-certificate": "c.pem", tokenFile: "t", exec: { command: "bin/login" } };
    const yaml = kubeconfig({ server: "https://a", "certificate-authority": "ca.pem" }, user);

    expect(parseContext([{ path: "/etc/k/config", yaml }], "prod")).toMatchObject({
      cluster: { caFile: "/etc/k/ca.pem" },
      user: { certFile: "/etc/k/c.pem" },
      tokenFile: "/etc/k/t",
      exec: { command: "/etc/k/bin/login" },
    });
  });

  it("may name a user that is not there: then nobody is sent", () => {
    const text = kubeconfig({ server: "https://a" }).replace(
      '"users":[{"name":"u"',
      '"users":[{"name":"v"',
    );

    expect(parseContext([{ path: "/k", yaml: text }], "prod").user).toEqual({ name: "anonymous" });
  });
});
