import { describe, expect, it } from "vitest";
import { Connections } from "../../../../src/kube/connections.js";
import { type Receiver, Transfer } from "../../../../src/kube/transfer.js";
import { FakeApiServer } from "./fixture/fake-api-server.js";

const deaf: Receiver = { head: () => {}, data: () => {}, end: () => {} };
const request = { method: "GET", path: "/", headers: [] } as const;

describe("Connections", () => {
  it("closes although a cancelled request still waits for the connection of another", async () => {
    const server = await FakeApiServer.start();
    server.respond = () => {};
    const connections = new Connections(1, () => {});
    const here = { origin: server.url, basePath: "", headers: [], tls: {} };
    const pool = connections.pool(
      { ...here, life: undefined, connectionId: "a", id: "a" },
      "requests",
    );
    const transfers = ["first", "second"].map((where) => new Transfer({ where, receiver: deaf }));
    const ends = transfers.map((each) => each.finished.catch((error: unknown) => error));
    transfers[0]?.start(pool, request);
    await server.received(1);
    transfers[0]?.cancel("stop");
    transfers[1]?.start(pool, request);
    transfers[1]?.cancel("stop");

    await connections.close();

    expect(await Promise.all(ends)).toEqual(["stop", "stop"]);
    await server.stop();
  });
});
