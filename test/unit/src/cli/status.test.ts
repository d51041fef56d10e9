import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../../../src/cli/program.js";
import { askOverHttp, type Answer } from "../../../../src/cli/read-status.js";
import type {
  DestinationStatus,
  ServiceStatus,
  StatusReport,
} from "../../../../src/ports/status.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

const NOW = "2024-01-15T10:30:45.000Z";

const destination = (more: Partial<DestinationStatus> = {}): DestinationStatus => ({
  name: "eks-b",
  connected: true,
  lastContact: "2024-01-15T10:30:44.000Z",
  paused: false,
  heartbeat: "held",
  brake: false,
  mirrors: 3,
  queued: 0,
  ...more,
});

const web: ServiceStatus = {
  service: "default/web",
  destination: "eks-b",
  target: "prod/web",
  state: "conflict",
  reason: "name-occupied",
  lastChange: "2024-01-15T08:30:45.000Z",
};
const cart: ServiceStatus = {
  service: "shop/cart",
  destination: "eks-b",
  target: "prod/cart",
  state: "retrying",
  reason: "FERRY-K006",
  message: "403 patch endpointslices",
  endpoints: { ready: 3, total: 3, slices: 1 },
  lastChange: "2024-01-15T10:30:05.000Z",
  lastWrite: "2024-01-15T10:30:00.000Z",
  lagMs: 12.4,
  changeId: "01J1",
};
const fine: ServiceStatus = {
  service: "shop/fine",
  destination: "eks-b",
  target: "prod/fine",
  state: "synced",
  endpoints: { ready: 1, total: 2, slices: 1 },
  lagMs: 38,
};

const report = (more: Partial<StatusReport> = {}): StatusReport => ({
  apiVersion: "svc-ferry.io/cli/v1",
  kind: "StatusReport",
  time: NOW,
  version: "1.2.3",
  podName: "pod-1",
  role: "leader",
  observed: true,
  source: { name: "eks-a", connected: true },
  destinations: [destination()],
  services: [web, cart, fine],
  ...more,
});

async function status(answer: StatusReport | Answer, ...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const asked: string[] = [];
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: {},
        readFile: () => "",
      },
      commands: NO_COMMANDS,
      ask: async (url) => {
        asked.push(url);
        return answer.kind === "StatusReport"
          ? { kind: "answer", status: 200, body: JSON.stringify(answer) }
          : answer;
      },
    },
    ["status", ...args],
  );
  return { code, out: out.join(""), err: err.join(""), asked };
}

describe("svc-ferry status", () => {
  it("prints what is not in order and exits with 1", async () => {
    const { code, out } = await status(report());

    expect(code).toBe(1);
    expect(out).toBe(
      [
        "eks-a → eks-b   1 of 3 synced · 1 conflict · 1 retrying · lag p99 38 ms · last contact 1s ago",
        "NAMESPACE  NAME  TARGET     STATE     READY  AGE  REASON",
        "default    web   prod/web   conflict  -      2h   name-occupied",
        "shop       cart  prod/cart  retrying  3/3    40s  FERRY-K006: 403 patch endpointslices",
        "",
      ].join("\n"),
    );
  });

  it("prints one line and exits with 0 when all is synced", async () => {
    const { code, out } = await status(report({ services: [fine] }));

    expect(code).toBe(0);
    expect(out).toBe("eks-a → eks-b   1 of 1 synced · lag p99 38 ms · last contact 1s ago\n");
  });

  it("prints everything with -A", async () => {
    const { out, code } = await status(report({ services: [fine] }), "-A");

    expect(code).toBe(0);
    expect(out).toContain("shop       fine  prod/fine  synced  1/2    -    -\n");
  });

  it("prints more columns with -o wide", async () => {
    const { out } = await status(report({ services: [cart] }), "-o", "wide");

    expect(out).toContain("SLICES  WRITTEN  LAG   CHANGE  REASON");
    expect(out).toContain("1       45s      12ms  01J1    FERRY-K006");
  });

  it("prints one JSON document with the same choice, and exits as without", async () => {
    const { out, code } = await status(report(), "-o", "json");

    expect(JSON.parse(out)).toEqual({ ...report(), services: [web, cart] });
    expect(code).toBe(1);
  });

  it("prints names only with -o name", async () => {
    expect((await status(report(), "-o", "name")).out).toBe("default/web\nshop/cart\n");
  });

  it("shows each destination by itself", async () => {
    const { out } = await status(
      report({
        destinations: [destination(), destination({ name: "eks-c", connected: false })],
        services: [fine, { ...fine, destination: "eks-c", state: "pending" }],
      }),
    );

    expect(out).toContain("eks-a → eks-b   1 of 1 synced");
    expect(out).toContain("\n\neks-a → eks-c   0 of 1 synced · 1 pending");
    expect(out).toContain("NOT CONNECTED");
  });

  it("says what holds a destination back", async () => {
    const { out } = await status(
      report({
        destinations: [
          destination({
            paused: true,
            brake: true,
            heartbeat: "held-elsewhere",
            heartbeatHolder: "pod-9",
            lastContact: undefined,
          }),
        ],
      }),
    );

    expect(out.split("\n")[0]).toMatch(
      /never in contact · PAUSED · DELETIONS BLOCKED \(--allow-mass-delete\) · LINK HELD BY pod-9$/,
    );
  });

  it.each<[Partial<StatusReport>, string]>([
    [{ destinations: [destination({ connected: false })] }, "NOT CONNECTED"],
    [
      { destinations: [destination({ heartbeat: "unknown", heartbeatCause: "FERRY-K006" })] },
      "LINK NOT HELD (FERRY-K006)",
    ],
    [
      { destinations: [destination({ heartbeat: "unknown", heartbeatCause: "no-namespace" })] },
      "LINK NOT HELD (namespace-missing)",
    ],
    [{ destinations: [destination({ heartbeat: "unknown" })] }, "LINK NOT HELD"],
    [{ destinations: [destination({ heartbeat: "held-elsewhere" })] }, "LINK HELD BY"],
    [{ source: { name: "eks-a", connected: false } }, "SOURCE NOT CONNECTED"],
  ])(
    "exits with 1 while a cluster is out of reach, though nothing is known to be wrong: %j",
    async (more, note) => {
      const { code, out } = await status(report({ services: [], ...more }));

      expect(code).toBe(1);
      expect(out).toMatch(/0 of 0 synced/);
      expect(out).toContain(` · ${note}`);
    },
  );

  it("cannot be made to print control characters", async () => {
    const { out } = await status(
      report({ services: [{ ...web, message: "\u001b[2J\nall is fine" }] }),
    );

    expect(out).not.toContain("\u001b");
    expect(out).toContain("\\u001b[2J\\nall is fine");
  });

  it("understands a newer replica that knows more states and fields", async () => {
    const newer = { ...report(), news: 1, services: [{ ...web, state: "drained", extra: true }] };
    const answer = { kind: "answer", status: 200, body: JSON.stringify(newer) } as const;

    expect(await status(answer)).toMatchObject({
      code: 1,
      out: expect.stringContaining("drained"),
    });
    expect(JSON.parse((await status(answer, "-o", "json")).out)).toEqual(newer);
  });
});

describe("svc-ferry status exits with 2", () => {
  it("when nobody answers", async () => {
    expect(await status({ kind: "unreachable", reason: "connect ECONNREFUSED" })).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(
        /^error: http:\/\/127\.0\.0\.1:8080\/status: connect ECONNREFUSED\n {2}fix: kubectl .* port-forward pod\/LEADER 8080, /,
      ),
      asked: ["http://127.0.0.1:8080/status"],
    });
  });

  it("when the answer is a refusal, with its reason", async () => {
    const answer = { kind: "answer", status: 403, body: "use --page=all\n" } as const;

    expect(await status(answer, "--status-url=http://x/status")).toMatchObject({
      code: 2,
      err: "error: http://x/status: HTTP 403: use --page=all\n",
      asked: ["http://x/status"],
    });
  });

  it.each(["<html>", "{}", '{"kind":"StatusReport"}'])(
    "when something else answers: %s",
    async (body) => {
      expect(await status({ kind: "answer", status: 200, body })).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringContaining("not a status report"),
      });
    },
  );

  it("when the replica does not know, with the one that does", async () => {
    const follower = report({ role: "follower", observed: false, leader: "pod-2", services: [] });

    expect(await status(follower)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("pod-1 (follower) does not know the state; the leader is pod-2"),
    });
  });

  it("when the format is unknown", async () => {
    expect(await status(report(), "-o", "xml")).toMatchObject({ code: 2, asked: [] });
  });
});

describe("askOverHttp", () => {
  it("gives the answer's status and body", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(403).end("no");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    const answer = await askOverHttp(`http://127.0.0.1:${port}/status`);
    server.close();
    server.closeAllConnections();
    await once(server, "close");

    expect(answer).toEqual({ kind: "answer", status: 403, body: "no" });
    expect(await askOverHttp(`http://127.0.0.1:${port}/status`)).toEqual({
      kind: "unreachable",
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  it("does not reject on a URL that is none", async () => {
    expect(await askOverHttp("nonsense")).toMatchObject({ kind: "unreachable" });
  });
});
