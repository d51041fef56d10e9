import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { credentialOf } from "../../../../src/kube/credential.js";
import { PodTunnel } from "../../../../src/kube/pod-tunnel.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { forwardPort, type PortForward } from "../../../fixtures/port-forward.js";
import { FakeApiServer, json } from "./fixture/fake-api-server.js";

const { signal } = new AbortController();
const POD = { namespace: "k8s-sync", name: "ferry-0", port: 8080 };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{"a":1}';

let server: FakeApiServer;
let clock: VirtualClock;
let asked: IncomingMessage[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new VirtualClock();
  asked = [];
});
afterEach(async () => server.stop());

function tunnel(): PodTunnel {
  const credential = credentialOf(server.url, {}, { token: "secret" });
  const credentials = { current: async () => credential };
  const random = new SeededRandom(1);
  return new PodTunnel({ cluster: "a", userAgent: "svc-ferry/test", credentials, clock, random });
}

function answering(forward: Partial<PortForward>): void {
  server.server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    asked.push(request);
    forwardPort(request, socket, { port: POD.port, answer: () => OK, ...forward });
  });
}

describe("PodTunnel", () => {
  it("asks the pod over the channels of its port, as whoever has the credential", async () => {
    const requests: string[] = [];
    answering({
      answer: (request) => {
        requests.push(request);
        return OK;
      },
    });

    const answer = await tunnel().get(POD, "/status", signal);

    expect(answer).toEqual({ status: 200, body: '{"a":1}' });
    expect(requests[0]).toMatch(/^GET \/status HTTP\/1\.0\r\nHost: localhost\r\n/);
    expect(asked[0]?.url).toBe("/api/v1/namespaces/k8s-sync/pods/ferry-0/portforward?ports=8080");
    expect(asked[0]?.headers).toMatchObject({
      authorization: "Bearer secret",
      "sec-websocket-protocol": "v4.channel.k8s.io",
      "user-agent": "svc-ferry/test",
    });
  });

  it("passes on what the pod answers, also without a length and of another status", async () => {
    answering({ answer: () => `HTTP/1.0 403 Forbidden\r\n\r\n${"x".repeat(100_000)}` });

    const { status, body } = await tunnel().get(POD, "/status", signal);

    expect([status, body.length]).toEqual([403, 100_000]);
  });

  it.each([
    [404, "FERRY-K011", 'pods "ferry-0" not found'],
    [500, "FERRY-K004", "no kubelet"],
  ])("fails with what the API server says: %i", async (status, code, message) => {
    server.respond = (_, response) => json(response, status, { kind: "Status", message });

    await expect(tunnel().get(POD, "/status", signal)).rejects.toMatchObject({
      code,
      message: `a: port-forward k8s-sync/ferry-0:8080: ${status}: ${message}`,
    });
  });

  it("says which rights it takes where the API server only says that something is forbidden", async () => {
    server.respond = (_, response) =>
      json(response, 403, { kind: "Status", message: 'pods "ferry-0" is forbidden: ' });

    await expect(tunnel().get(POD, "/status", signal)).rejects.toMatchObject({
      code: "FERRY-K006",
      message:
        'a: port-forward k8s-sync/ferry-0:8080: 403: pods "ferry-0" is forbidden:  (it takes get and create on pods/portforward)',
    });
  });

  it("fails with what the kubelet says when nobody listens in the pod", async () => {
    answering({ error: "connection refused" });

    await expect(tunnel().get(POD, "/status", signal)).rejects.toMatchObject({
      code: "FERRY-K001",
      message: expect.stringContaining("connection refused"),
    });
  });

  it("fails when no HTTP comes back, and when nothing comes within five seconds", async () => {
    answering({ answer: () => "SSH-2.0" });
    await expect(tunnel().get(POD, "/status", signal)).rejects.toMatchObject({
      code: "FERRY-K007",
    });
    server.server.removeAllListeners("upgrade");
    const arrived = new Promise<Duplex>((resolve) => {
      server.server.on("upgrade", (_: IncomingMessage, socket: Duplex) => resolve(socket));
    });

    const silent = tunnel().get(POD, "/status", signal);
    const judged = expect(silent).rejects.toMatchObject({ code: "FERRY-K002" });
    const socket = await arrived;
    await clock.advance(5_000);

    await judged;
    socket.destroy();
  });
});
