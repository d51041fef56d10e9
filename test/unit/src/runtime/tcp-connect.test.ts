import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { tcpConnect } from "../../../../src/runtime/tcp-connect.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const { signal } = new AbortController();
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
});

async function listening(): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => {}));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

describe("tcpConnect", () => {
  it("tells who listens from who does not", async () => {
    const connect = tcpConnect(new VirtualClock());
    const port = await listening();

    expect(await connect({ host: "127.0.0.1", port }, signal)).toBe("answered");
    expect(await connect({ host: "127.0.0.1", port: 1 }, signal)).toBe("refused");
    expect(await connect({ host: "nowhere.invalid", port }, signal)).toBe("no-way");
  });

  it("is over as soon as nobody waits any more", async () => {
    const port = await listening();

    const answer = tcpConnect(new VirtualClock())({ host: "127.0.0.1", port }, AbortSignal.abort());

    expect(await answer).toBe("silent");
  });
});
