import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { openCluster } from "../../../../src/kube/open-cluster.js";
import type { KubeObserver } from "../../../../src/ports/kube-observer.js";
import { base64, selfSigned } from "./fixture/certificates.js";
import { FakeApiServer, json, status } from "./fixture/fake-api-server.js";
import { ManualClock } from "./fixture/manual-clock.js";
import {
  fixedRandom,
  kubeconfig,
  never,
  services,
  withCluster,
  withScratch,
} from "./fixture/opened.js";
import { RecordingLog } from "./fixture/recording-log.js";

const web = { metadata: { name: "web", namespace: "shop" } };
const ref = { namespace: "shop", name: "web" };

/** Takes connections but passes nothing on until it is opened. */
class Gate {
  readonly arrived = Promise.withResolvers<void>();
  readonly #held: Socket[] = [];

  constructor(
    readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on("connection", (socket: Socket) => {
      this.#held.push(socket);
      this.arrived.resolve();
    });
  }

  static async inFrontOf(targetPort: number): Promise<Gate> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Gate(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  open(): void {
    for (const socket of this.#held) {
      const onward = connect(this.targetPort, "127.0.0.1");
      socket.on("error", () => onward.destroy()).on("close", () => onward.destroy());
      onward.on("error", () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    }
  }
}

/** A create whose TLS handshake is held up while the permit changes to `permitted`. */
async function createBehindGate(permitted: boolean) {
  const pair = selfSigned("kube.test");
  const server = await FakeApiServer.start(pair);
  const gate = await Gate.inFrontOf(server.port);
  server.respond = (_seen, response) => json(response, 201, web);
  let permit = true;
  let asked = 0;
  let result: unknown;
  let handshakes = 0;
  await withScratch(async ({ write }) => {
    const path = await write(
      "config",
      kubeconfig({
        server: `https://127.0.0.1:${gate.port}`,
        "tls-server-name": "kube.test",
        "certificate-authority-data": base64(pair.cert),
      }),
    );
    const deps = {
      clock: new ManualClock(),
      log: new RecordingLog(),
      random: fixedRandom,
      env: {},
    };
    const access = { kind: "kubeconfig", path, context: "prod" } as const;
    const api = await openCluster({ access, maxConnections: 1 }, deps);
    const ask = (): boolean => {
      asked += 1;
      return permit;
    };
    const creating = api.create(services, web, { signal: never, permit: ask });
    await gate.arrived.promise;
    permit = permitted;
    gate.open();
    result = await creating.catch((error: unknown) => error);
    handshakes = api.connections;
    await api.close();
  });
  await server.stop();
  gate.server.close();
  return { result, asked, requests: server.seen.length, handshakes };
}

describe("the permit", () => {
  it("is asked when the request goes onto its connection: lost during the handshake, nothing is sent", async () => {
    const { result, requests, handshakes } = await createBehindGate(false);

    expect(result).toMatchObject({ name: "RetryableError", code: "FERRY-L001" });
    expect({ requests, handshakes }).toEqual({ requests: 0, handshakes: 1 });
  });

  it("lets the same request through when it still holds", async () => {
    const { result, requests, asked } = await createBehindGate(true);

    expect(result).toMatchObject({ kind: "done" });
    expect({ requests, asked }).toEqual({ requests: 1, asked: 2 });
  });

  it("refused at once costs no connection", async () => {
    await withCluster(async ({ api, server }) => {
      const creating = api.create(services, web, { signal: never, permit: () => false });

      await expect(creating).rejects.toMatchObject({ code: "FERRY-L001" });
      expect([server.connections, api.connections]).toEqual([0, 0]);
    });
  });
});

describe("Transport", () => {
  it("ends a request without an answer after 30 s with FERRY-K002 and frees its turn", async () => {
    await withCluster(
      async ({ api, server, clock }) => {
        server.respond = () => {};
        const first = api.get(services, ref, never).catch((error: unknown) => error);
        await server.received(1);
        clock.advance(29_999);
        const stillWaiting = clock.sleeping;
        clock.advance(1);

        expect(stillWaiting).toBe(1);
        expect(await first).toMatchObject({ name: "RetryableError", code: "FERRY-K002" });
        server.respond = (_seen, response) => json(response, 200, web);
        expect(await api.get(services, ref, never)).toEqual(web);
      },
      { cluster: { maxConnections: 1 } },
    );
  });

  it("counts the body's time too", async () => {
    await withCluster(async ({ api, server, clock }) => {
      server.respond = (_seen, response) => response.writeHead(200).write('{"half":');
      const reading = api.get(services, ref, never).catch((error: unknown) => error);
      await server.received(1);

      clock.advance(30_000);

      expect(await reading).toMatchObject({ code: "FERRY-K002" });
      expect(clock.sleeping).toBe(0);
    });
  });

  it("sends live requests before bulk before events when connections are short", async () => {
    await withCluster(
      async ({ api, server }) => {
        const held: (() => void)[] = [];
        server.respond = (_seen, response) => held.push(() => json(response, 201, web));
        const named = (name: string) => ({ metadata: { name, namespace: "shop" } });
        const create = (name: string, priority: "live" | "bulk" | "event") =>
          api.create(services, named(name), { signal: never, priority }).catch(() => "answered");
        const first = create("first", "event");
        await server.received(1);
        const rest = [create("event", "event"), create("bulk", "bulk"), create("live", "live")];

        server.respond = (_seen, response) => json(response, 201, web);
        held.forEach((answer) => answer());
        await Promise.all([first, ...rest]);

        const order = server.seen.map((seen) => /"name":"(\w+)"/.exec(seen.body)?.[1]);
        expect(order).toEqual(["first", "live", "bulk", "event"]);
      },
      { cluster: { maxConnections: 1 } },
    );
  });

  it("says FERRY-L001 for a write stopped before it was sent and FERRY-K001 for one under way", async () => {
    await withCluster(
      async ({ api, server }) => {
        server.respond = () => {};
        const stop = new AbortController();
        const write = { signal: stop.signal };
        const sent = api.create(services, web, write).catch((error: unknown) => error);
        await server.received(1);
        const waiting = api.create(services, web, write).catch((error: unknown) => error);

        stop.abort();

        expect(await sent).toMatchObject({ code: "FERRY-K001" });
        expect(await waiting).toMatchObject({ code: "FERRY-L001" });
        expect(server.seen).toHaveLength(1);
      },
      { cluster: { maxConnections: 1 } },
    );
  });

  it("does not send what was aborted already", async () => {
    await withCluster(async ({ api, server }) => {
      const creating = api.create(services, web, { signal: AbortSignal.abort() });

      await expect(creating).rejects.toMatchObject({ code: "FERRY-L001" });
      expect(server.seen).toEqual([]);
    });
  });

  it("says FERRY-K001 when nobody listens, with the request's name", async () => {
    await withCluster(async ({ api, server }) => {
      const { port } = server;
      await server.stop();

      await expect(api.get(services, ref, never)).rejects.toMatchObject({
        name: "RetryableError",
        code: "FERRY-K001",
        message: expect.stringMatching(
          new RegExp(`^prod: get /api/v1/namespaces/shop/services/web: .*ECONNREFUSED.*${port}`),
        ),
      });
      server.server.listen(0, "127.0.0.1");
    });
  });

  it("says FERRY-K001 for a body cut short, not that it is no JSON", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = (_seen, response) => {
        response.writeHead(200, { "content-length": "1000" }).write('{"metadata"', () => {
          response.destroy();
        });
      };

      await expect(api.get(services, ref, never)).rejects.toMatchObject({ code: "FERRY-K001" });
    });
  });

  it("keeps the path of the server's address", async () => {
    await withCluster(
      async ({ api, server }) => {
        server.respond = (_seen, response) => json(response, 200, web);

        await api.get(services, ref, never);

        expect(server.seen[0]?.url).toBe("/k8s/clusters/c-1/api/v1/namespaces/shop/services/web");
      },
      { basePath: "/k8s/clusters/c-1/" },
    );
  });

  it("tells the observer of each request, connection and turn", async () => {
    const told: string[] = [];
    const observer: KubeObserver = {
      requestDone: (...args) => told.push(`request ${args.join(" ")}`),
      connectionOpened: (cluster) => told.push(`connection ${cluster}`),
      turnGiven: (...args) => told.push(`turn ${args.join(" ")}`),
      credentialTaken: () => {},
      credentialTrouble: () => {},
    };
    await withCluster(
      async ({ api, server, clock }) => {
        server.respond = (_seen, response) => {
          clock.advance(20);
          json(response, 429, status(429, "TooManyRequests"));
        };

        await api.get(services, ref, never).catch(() => {});

        expect(told).toEqual(["turn prod live 0", "connection prod", "request prod get 429 0.02"]);
      },
      { deps: { observer } },
    );
  });

  it("breaks off what is under way when it is closed", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = () => {};
      const reading = api.get(services, ref, never).catch((error: unknown) => error);
      await server.received(1);

      await api.close();

      expect(await reading).toMatchObject({ code: "FERRY-K001" });
    });
  });
});
