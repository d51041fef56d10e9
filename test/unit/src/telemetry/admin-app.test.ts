import { describe, expect, it } from "vitest";
import { idlePage } from "../../../fixtures/idle-page.js";
import type { Readiness } from "../../../../src/ports/health.js";
import type { StatusReport } from "../../../../src/ports/status.js";
import { adminApp, AdminSources } from "../../../../src/telemetry/admin-app.js";

const REPORT: StatusReport = {
  apiVersion: "svc-ferry.io/cli/v1",
  kind: "StatusReport",
  time: "2024-01-15T10:30:45.000Z",
  version: "1.2.3",
  podName: "pod-1",
  role: "leader",
  observed: true,
  source: { name: "eks-a", connected: true },
  destinations: [],
  services: [],
};

interface Situation {
  readonly readiness?: Readiness;
  readonly webhook?: Readiness;
  readonly leads?: boolean;
  readonly page?: "loopback" | "all";
  readonly report?: () => StatusReport;
}

function app({
  readiness = { ok: true, waitingFor: [] },
  webhook = { ok: true, waitingFor: [] },
  leads = false,
  page = "loopback",
  report = () => REPORT,
}: Situation = {}) {
  return adminApp(
    { podName: "pod-1", page, bindAddress: "127.0.0.1", port: 0 },
    new AdminSources(
      { ready: () => readiness, webhookReady: () => webhook },
      { isLeader: () => leads },
      { contentType: "text/plain; version=0.0.4", text: async () => "svc_ferry_leader 0\n" },
      { report },
      idlePage(report),
    ),
  );
}

describe("k8s-svc-sync's endpoints", () => {
  it("answer /health with 200 while the process works", async () => {
    expect((await app().inject("/health")).statusCode).toBe(200);
  });

  it("answer /ready with 200 when both clusters are connected", async () => {
    expect((await app().inject("/ready")).statusCode).toBe(200);
  });

  it("answer /ready with 503 and what is missing otherwise", async () => {
    const readiness = { ok: false, waitingFor: ["source eks-a", "destination eks-b"] };

    const response = await app({ readiness }).inject("/ready");

    expect(response.statusCode).toBe(503);
    expect(response.body).toBe("waiting for source eks-a, destination eks-b");
  });

  it("answer /leader with exactly `Leader: <pod-name>` or `Follower`", async () => {
    expect((await app({ leads: true }).inject("/leader")).body).toBe("Leader: pod-1");
    expect((await app({ leads: false }).inject("/leader")).body).toBe("Follower");
  });
});

describe("/ready/webhook", () => {
  it("looks at admission alone, whatever the clusters do", async () => {
    const missing = { ok: false, waitingFor: ["a certificate"] };

    const fine = await app({ readiness: missing }).inject("/ready/webhook");
    const waiting = await app({ webhook: missing }).inject("/ready/webhook");

    expect([fine.statusCode, fine.body]).toEqual([200, "ok"]);
    expect([waiting.statusCode, waiting.body]).toEqual([503, "waiting for a certificate"]);
  });
});

describe("/metrics", () => {
  it("is the exposition with its own content type", async () => {
    const response = await app().inject("/metrics");

    expect(response.body).toBe("svc_ferry_leader 0\n");
    expect(response.headers["content-type"]).toContain("version=0.0.4");
  });
});

describe("/status", () => {
  const ask = (situation: Situation, remoteAddress: string, host = "localhost:8080") =>
    app(situation).inject({ url: "/status", remoteAddress, headers: { host } });

  it.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])(
    "answers loopback (%s) with the report",
    async (address) => {
      expect((await ask({}, address)).json()).toEqual(REPORT);
    },
  );

  it.each(["10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "127.0.0.1.example.com"])(
    "refuses %s with the way out",
    async (address) => {
      const response = await ask({}, address);

      expect(response.statusCode).toBe(403);
      expect(response.body).toContain("--page=all");
    },
  );

  it("refuses a foreign Host from loopback, so that a web page cannot read it through a browser", async () => {
    expect((await ask({}, "127.0.0.1", "evil.example.com:8080")).statusCode).toBe(403);
    expect((await ask({}, "::1", "[::1]:8080")).statusCode).toBe(200);
  });

  it("answers everybody with --page=all", async () => {
    expect((await ask({ page: "all" }, "10.0.0.1", "ferry.svc:8080")).statusCode).toBe(200);
  });

  it("tells nobody what failed inside", async () => {
    const report = () => {
      throw new Error("shop/web is odd");
    };

    const response = await ask({ report }, "127.0.0.1");

    expect(response.statusCode).toBe(500);
    expect(response.body).toBe("internal error\n");
  });
});

describe("the admin port", () => {
  it("forbids caching and guessing of types everywhere, and knows nothing else", async () => {
    const response = await app().inject("/elsewhere");

    expect(response.statusCode).toBe(404);
    expect(response.headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  it("only reads", async () => {
    expect((await app().inject({ method: "POST", url: "/health" })).statusCode).toBe(404);
    expect((await app().inject({ method: "HEAD", url: "/health" })).statusCode).toBe(200);
  });
});
