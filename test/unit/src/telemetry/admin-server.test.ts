import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { LogFields } from "../../../../src/ports/log.js";
import { adminApp, AdminSources } from "../../../../src/telemetry/admin-app.js";
import { AdminServer } from "../../../../src/telemetry/admin-server.js";

const SOURCES = new AdminSources(
  {
    ready: () => ({ ok: true, waitingFor: [] }),
    webhookReady: () => ({ ok: true, waitingFor: [] }),
  },
  { isLeader: () => false },
  { contentType: "text/plain", text: async () => "" },
  {
    report: () => {
      throw new Error("not asked here");
    },
  },
);

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function server(port: number) {
  const lines: (readonly [LogFields, string])[] = [];
  const info = (fields: LogFields, message: string) => void lines.push([fields, message]);
  const log = { debug: info, info, warn: info, error: info, child: () => log };
  const settings = { podName: "pod-1", page: "loopback", bindAddress: "127.0.0.1", port } as const;
  const admin = new AdminServer(settings, () => adminApp(settings, SOURCES), log);
  stops.push(() => admin.stop());
  return { admin, lines };
}

describe("AdminServer", () => {
  it("listens, says on which port, and answers there until it is stopped", async () => {
    const { admin, lines } = server(0);

    const port = await admin.start(new AbortController().signal);
    const response = await fetch(`http://127.0.0.1:${port}/leader`);

    expect(await response.text()).toBe("Follower");
    expect(lines).toEqual([[{ port, address: "127.0.0.1" }, "admin server listening"]]);
    await admin.stop();
    await expect(fetch(`http://127.0.0.1:${port}/leader`)).rejects.toThrow("fetch failed");
  });

  it("fails to start on a port that is taken", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    stops.push(async () => void (await new Promise((done) => squatter.close(done))));
    const address = squatter.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    await expect(server(port).admin.start(new AbortController().signal)).rejects.toThrow(
      "EADDRINUSE",
    );
  });

  it("does not start when the process is already stopping, and may be stopped then", async () => {
    const { admin } = server(0);

    await expect(admin.start(AbortSignal.abort(new Error("stopping")))).rejects.toThrow("stopping");
    await expect(admin.stop()).resolves.toBeUndefined();
  });
});
