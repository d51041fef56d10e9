import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { kubeconfig } from "../../../controlplane/kubeconfig.js";

const source = { server: "https://127.0.0.1:1", ca: "CA-SOURCE", token: "token-source" };
const destination = { server: "https://127.0.0.1:2", ca: "CA-DESTINATION", token: "token-dest" };

describe("kubeconfig", () => {
  it("holds a context per entry, the first being current", () => {
    const loaded = load([
      { context: "source", controlPlane: source },
      { context: "destination", controlPlane: destination },
    ]);

    expect(loaded.getCurrentContext()).toBe("source");
    expect(loaded.getContexts().map(({ name }) => name)).toEqual(["source", "destination"]);
    loaded.setCurrentContext("destination");
    expect(loaded.getCurrentCluster()?.server).toBe("https://127.0.0.1:2");
    expect(loaded.getCurrentCluster()?.caData).toBe(
      Buffer.from("CA-DESTINATION").toString("base64"),
    );
    expect(loaded.getCurrentUser()?.token).toBe("token-dest");
  });

  it("lets an entry name another way, another CA, another user and a namespace", () => {
    const loaded = load([
      {
        context: "source",
        controlPlane: source,
        server: "https://127.0.0.1:3",
        ca: "CA-PROXY",
        token: "token-robot",
        namespace: "shop",
      },
    ]);

    expect(loaded.getCurrentCluster()).toMatchObject({
      server: "https://127.0.0.1:3",
      caData: Buffer.from("CA-PROXY").toString("base64"),
    });
    expect(loaded.getCurrentUser()?.token).toBe("token-robot");
    expect(loaded.getContextObject("source")?.namespace).toBe("shop");
  });
});

function load(entries: Parameters<typeof kubeconfig>[0]): KubeConfig {
  const loaded = new KubeConfig();
  loaded.loadFromString(kubeconfig(entries));
  return loaded;
}
