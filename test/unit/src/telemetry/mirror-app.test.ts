import { describe, expect, it } from "vitest";
import { MirrorContent } from "../../../../sidecar/status/mirror-content.js";
import type { Readiness } from "../../../../src/ports/health.js";
import { mirrorApp } from "../../../../src/telemetry/mirror-app.js";
import { Page } from "../../../../src/telemetry/page/page.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { mirrorReport } from "../../../fixtures/mirror-report.js";

interface Situation {
  readonly readiness?: Readiness;
  readonly page?: "loopback" | "all";
}

function app({ readiness = { ok: true, waitingFor: [] }, page = "loopback" }: Situation = {}) {
  return mirrorApp(
    { page },
    {
      ready: () => readiness,
      metrics: { contentType: "text/plain; version=0.0.4", text: async () => "one 1\n" },
      report: () => mirrorReport(),
      page: new Page(new MirrorContent(() => mirrorReport()), new VirtualClock()),
    },
  );
}

describe("the mirror's port", () => {
  it("answers /healthz while the process works, whatever it waits for", async () => {
    const readiness = { ok: false, waitingFor: ["source"] };

    expect((await app({ readiness }).inject("/healthz")).statusCode).toBe(200);
  });

  it("answers /ready with 200, or with 503 and what is missing", async () => {
    const readiness = { ok: false, waitingFor: ["source", "the fence"] };

    const [fine, waiting] = [
      await app().inject("/ready"),
      await app({ readiness }).inject("/ready"),
    ];

    expect([fine.statusCode, fine.body]).toEqual([200, "ok"]);
    expect([waiting.statusCode, waiting.body]).toEqual([503, "waiting for source, the fence"]);
  });

  it("answers /metrics", async () => {
    expect((await app().inject("/metrics")).body).toBe("one 1\n");
  });

  it("answers /status from this machine, to its own names", async () => {
    const headers = { host: "localhost:10520" };

    expect((await app().inject({ url: "/status", headers })).json()).toEqual(mirrorReport());
  });

  it("answers / with a page for people, to whom it answers /status", async () => {
    const headers = { host: "localhost:10520" };
    const stranger = { url: "/", remoteAddress: "10.1.2.3", headers };

    const { body } = await app().inject({ url: "/", headers });

    expect(body).toContain('<h1 id="headline" role="status">4 objects in sync.</h1>');
    expect((await app().inject(stranger)).statusCode).toBe(403);
    expect((await app({ page: "all" }).inject(stranger)).statusCode).toBe(200);
  });

  it.each([
    ["another machine", { remoteAddress: "10.1.2.3", headers: { host: "localhost" } }],
    ["a name that leads here", { headers: { host: "evil.example" } }],
  ])("refuses /status to %s, unless the page is open to all", async (_who, request) => {
    const asked = { url: "/status", ...request };

    expect((await app().inject(asked)).statusCode).toBe(403);
    expect((await app({ page: "all" }).inject(asked)).statusCode).toBe(200);
  });

  it("knows nothing else", async () => {
    expect((await app().inject("/leader")).statusCode).toBe(404);
  });
});
