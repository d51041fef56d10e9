import { describe, expect, it } from "vitest";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { LogFields } from "../../../../src/ports/log.js";
import { Logger, type LoggerOptions } from "../../../../src/telemetry/logger.js";

const NOW = Date.parse("2024-01-15T10:30:45.678Z");

function logger(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const log = new Logger({
    format: "human",
    level: "debug",
    podName: "k8s-svc-sync-abc123",
    clock: { now: () => NOW },
    sink: { write: (line: string) => void lines.push(line) },
    ...options,
  });
  return { log, lines };
}

function human(fields: LogFields, message: string): string {
  const { log, lines } = logger();
  log.info(fields, message);
  return lines.join("");
}

function json(fields: LogFields, message: string): Record<string, unknown> {
  const { log, lines } = logger({ format: "json" });
  log.info(fields, message);
  return JSON.parse(lines.join(""));
}

const route = {
  from: "local-cluster/default/my-service",
  to: "prod-cluster/prod-test/my-service",
};

describe("what becomes of changes", () => {
  it.each(["human", "json"] as const)(
    "is told beside the log, for people, in the format %s",
    (format) => {
      const told: string[] = [];
      const { log } = logger({ format, onOutcome: (line) => void told.push(line) });

      log.info({ outcome: "applied", service: "shop/web" }, "applied");
      log.info({ service: "shop/web" }, "no outcome");

      expect(told).toEqual([
        "2024-01-15 10:30:45 [k8s-svc-sync-abc123] applied outcome=applied service=shop/web",
      ]);
    },
  );
});

describe("the human format", () => {
  it("writes k8s-svc-sync's lines to the letter", () => {
    expect(human({ route, text: "updated endpoints → 3 IPs" }, "updated endpoints")).toBe(
      "2024-01-15 10:30:45 [k8s-svc-sync-abc123] [local-cluster/default/my-service → prod-cluster/prod-test/my-service] updated endpoints → 3 IPs\n",
    );
    expect(
      human(
        {
          text: "started syncing service my-service, currently tracking: [my-service, other-service]",
        },
        "started syncing service",
      ),
    ).toBe(
      "2024-01-15 10:30:45 [k8s-svc-sync-abc123] started syncing service my-service, currently tracking: [my-service, other-service]\n",
    );
    expect(human({}, "became leader, starting sync operations")).toBe(
      "2024-01-15 10:30:45 [k8s-svc-sync-abc123] became leader, starting sync operations\n",
    );
  });

  it("appends fields as key=value, quoted where they could be misread", () => {
    expect(human({ port: 8080, outcome: "synced", why: "a b", list: ["x"] }, "done")).toContain(
      '] done port=8080 outcome=synced why="a b" list=["x"]\n',
    );
  });

  it("puts a level other than info before the message", () => {
    const { log, lines } = logger();

    log.warn({}, "relisted");

    expect(lines).toEqual(["2024-01-15 10:30:45 [k8s-svc-sync-abc123] WARN relisted\n"]);
  });

  it("shows an error's code, message and causes in one line", () => {
    const cause = new Error("connect", { cause: new Error("refused\nERROR forged") });
    const err = new RetryableError("FERRY-K001", "no answer", { cause });

    expect(human({ err }, "write failed")).toContain(
      '] write failed code=FERRY-K001 err="no answer" cause="connect: refused\\\\nERROR forged"\n',
    );
  });

  it("says code and cause once when field, error and cause say the same", () => {
    const err = new RetryableError("FERRY-K005", "config: ENOENT", { cause: new Error("ENOENT") });

    expect(human({ code: "FERRY-K005", err }, "trying again")).toContain(
      '] trying again code=FERRY-K005 err="config: ENOENT"\n',
    );
  });

  it("keeps the stack of an error that has no code, in the same line", () => {
    const line = human({ err: new TypeError("x is not a function") }, "failed");

    expect(line).toMatch(/stack="TypeError: x is not a function\\\\n/);
    expect(line.trimEnd()).not.toContain("\n");
  });
});

describe("the JSON format", () => {
  it("has time, level, pod, component, message and the same content as the human one", () => {
    const { log, lines } = logger({ format: "json" });

    log
      .child("reconciler")
      .warn({ route, text: "updated endpoints → 3 IPs", ips: 3 }, "updated endpoints");

    expect(JSON.parse(lines.join(""))).toEqual({
      level: "warn",
      time: "2024-01-15T10:30:45.678Z",
      pod: "k8s-svc-sync-abc123",
      component: "reconciler",
      route,
      text: "updated endpoints → 3 IPs",
      ips: 3,
      message: "updated endpoints",
    });
    expect(lines.join("").match(/\n/g)).toHaveLength(1);
  });

  it("does not let a field forge the record's own", () => {
    const record = json({ level: "error", pod: "other", message: "forged" }, "true message");

    expect(record).toMatchObject({
      level: "info",
      pod: "k8s-svc-sync-abc123",
      message: "true message",
      fields: { level: "error", pod: "other", message: "forged" },
    });
  });

  it("shows an error's name, code, status and cause", () => {
    const err = new RetryableError("FERRY-K003", "slow down", { status: 429, cause: "why" });

    expect(json({ err }, "write failed")["err"]).toEqual({
      name: "RetryableError",
      code: "FERRY-K003",
      status: 429,
      message: "slow down",
      cause: "why",
    });
  });
});

describe("untrusted values", () => {
  const hostile = `web\n2024-01-15 10:30:45 [pod] forged\u2028\u202e${"x".repeat(500)}`;

  it("stay in their line, escaped and cut, in the human format", () => {
    const line = human(
      { route: { from: hostile, to: hostile }, name: hostile, text: hostile },
      "m",
    );

    expect(line.match(/[\n\u2028\u202e]/g)).toEqual(["\n"]);
    expect(line).toContain("web\\n2024");
    expect(line).toContain(`name="web\\\\n2024`);
    expect(line.length).toBeLessThan(1_500);
  });

  it("stay in their line, escaped and cut, in the JSON format", () => {
    const record = json({ name: hostile, deep: { list: [hostile] } }, "m");

    expect(record["name"]).toMatch(/^web\\n2024-01-15 10:30:45 \[pod\] forged\\u2028\\u202ex+…$/);
    expect(record["name"]).toHaveLength(256);
    expect(JSON.stringify(record["deep"])).toContain("web\\\\n2024");
  });

  it("are bounded in number and depth, and circles end", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;

    const record = json({ many: Array.from({ length: 1_000 }, () => 1), circle }, "m");

    expect(record["many"]).toHaveLength(32);
    expect(JSON.stringify(record["circle"])).toContain("{…}");
  });
});

describe("secrets", () => {
  const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ";

  it.each([
    "authorization",
    "Authorization",
    "token",
    "bearerToken",
    "id_token",
    "client-key-data",
    "password",
    "set-cookie",
  ])("are redacted in a field named %s at any depth, in both formats", (name) => {
    const fields = { headers: { [name]: "hunter2" }, [name]: "hunter2" };

    expect(human(fields, "m")).not.toContain("hunter2");
    expect(JSON.stringify(json(fields, "m"))).not.toContain("hunter2");
    expect(json(fields, "m")).toHaveProperty([name], "[redacted]");
  });

  it.each([
    ["a bearer token", "401 for Bearer abc.def-123", "abc.def"],
    ["basic credentials", "sent Basic aHVudGVyMg==", "aHVudGVyMg"],
    ["a JSON Web Token", `token ${jwt} expired`, jwt.slice(0, 20)],
    ["the rest of a token that was cut", `saw ${jwt.slice(0, 24)}`, jwt.slice(0, 20)],
    ["a token beyond what is printed", `${"x".repeat(250)} ${jwt}`, "eyJ"],
    ["an EKS token", "k8s-aws-v1.aHR0cHM6Ly9zdHM", "aHR0cHM6"],
    ["a password in a URL", "proxy http://me:hunter2@proxy:3128 failed", "hunter2"],
    ["a signature of AWS", "GET https://sts/?X-Amz-Signature=abcdef012", "abcdef012"],
    ["a private key", "-----BEGIN PRIVATE KEY-----\nMIIEv\n-----END PRIVATE KEY-----", "MIIEv"],
    ["half a private key", "-----BEGIN EC PRIVATE KEY-----\nMIIEv", "MIIEv"],
  ])("are redacted by their shape: %s", (_, text, secret) => {
    const fields = { route: { from: text, to: text }, text, body: text, err: new Error(text) };

    expect(human(fields, "m")).not.toContain(secret);
    expect(JSON.stringify(json(fields, "m"))).not.toContain(secret);
  });

  it("are all that is redacted", () => {
    const fields = { tokens: 3, tokenExpiry: "2024-01-15T10:30:45Z", basic: "Basically fine" };

    expect(json(fields, "m")).toMatchObject(fields);
  });
});

describe("the level", () => {
  it("drops records below it and builds nothing for them", () => {
    const { log, lines } = logger({ level: "warn" });
    const explosive = {
      get field(): string {
        throw new Error("was read");
      },
    };

    log.debug(explosive, "a");
    log.info(explosive, "b");
    log.warn({}, "c");

    expect(lines).toHaveLength(1);
  });
});
