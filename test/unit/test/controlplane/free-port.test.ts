import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort, listenOnFreePort } from "../../../controlplane/free-port.js";

describe("freePort", () => {
  it("gives ports below the range of outgoing connections, never one twice", async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, async () => freePort()));

    expect(new Set(ports).size).toBe(20);
    expect(ports.every((port) => port >= 15_000 && port < 30_000)).toBe(true);
  });
});

describe("listenOnFreePort", () => {
  it("returns the port on which the server listens", async () => {
    const server = createServer();

    const port = await listenOnFreePort(server);

    expect(server.address()).toMatchObject({ address: "127.0.0.1", port });
    server.close();
  });
});
