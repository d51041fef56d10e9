import { createServer, type Server } from "node:https";
import type { Cluster } from "./cluster.js";
import { forwardPort, type PortForward } from "../fixtures/port-forward.js";
import { listenOnFreePort } from "../controlplane/free-port.js";
import { selfSigned } from "../controlplane/self-signed.js";

/**
 * A Node on loopback of which API servers ask nothing but to forward ports of its pods: what they pass on to it has passed their
 * authentication, authorization and proxy.
 */
export class FakeKubelet {
  /** What was asked, as `/portForward/NAMESPACE/POD?port=PORT`. */
  readonly asked: string[] = [];
  /** The whole HTTP answer of any pod. */
  answer = "";

  /** Made by startFakeKubelet. */
  constructor(
    private readonly server: Server,
    private readonly cluster: Cluster,
    private readonly node: string,
  ) {
    server.on("upgrade", (request, socket) => {
      const url = request.url ?? "";
      this.asked.push(url);
      const port = Number(new URL(url, "https://node").searchParams.get("port"));
      const forward: PortForward = { port, answer: () => this.answer };
      forwardPort(request, socket, forward);
    });
  }

  /** Before its cluster's own end. */
  async close(): Promise<void> {
    await this.cluster.remove("Node", undefined, this.node);
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** @param node its name; pods that are bound to it are asked here */
export async function startFakeKubelet(cluster: Cluster, node: string): Promise<FakeKubelet> {
  const { cert, key } = selfSigned(node);
  const server = createServer({ cert, key });
  const port = await listenOnFreePort(server);
  await cluster.createNode(node);
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const type = "application/merge-patch+json";
  await cluster.request("PATCH", `/api/v1/nodes/${node}/status`, { status }, type);
  return new FakeKubelet(server, cluster, node);
}
