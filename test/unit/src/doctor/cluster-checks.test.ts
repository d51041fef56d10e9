import { beforeEach, describe, expect, it } from "vitest";
import { clusterChecks } from "../../../../src/doctor/cluster-checks.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import { RetryableError, TerminalError } from "../../../../src/ports/errors.js";
import { Inspected, outcomeOf } from "../../../fixtures/inspected.js";

let cluster: Inspected;

beforeEach(() => {
  cluster = new Inspected("b");
});

async function outcome(id: string): Promise<Outcome> {
  return outcomeOf(clusterChecks(cluster.subject("destination"), cluster.clock), id);
}

describe("dst-reach", () => {
  it("is right when the API server says that it is ready", async () => {
    cluster.answers.set("/readyz", { body: "ok" });

    expect(await outcome("dst-reach")).toEqual({ result: "ok", message: "b answers" });
  });

  it("tells a server that is not ready, and one that does not know who asks", async () => {
    cluster.answers.set("/readyz", { status: 500 });
    const unready = await outcome("dst-reach");
    cluster.answers.set("/readyz", { status: 401 });

    expect(unready).toMatchObject({ result: "fail", code: "FERRY-K004" });
    expect(await outcome("dst-reach")).toMatchObject({
      result: "fail",
      code: "FERRY-K005",
      remedy: { command: "svc-ferry kubeconfig --context ctx-b" },
    });
  });

  it.each([
    [new TerminalError("FERRY-K005", 'no context "b"'), 'no context "b"', "FERRY-K005"],
    [
      new RetryableError("FERRY-K001", "get /readyz", {
        cause: Object.assign(new Error("no"), { code: "ENOTFOUND" }),
      }),
      "DNS: no such host: get /readyz",
      "FERRY-K001",
    ],
    [
      new RetryableError("FERRY-K002", "no answer within 30 s"),
      "no answer within 30 s",
      "FERRY-K002",
    ],
  ])("tells why it is not reached: %s", async (error, message, code) => {
    const subject = { ...cluster.subject("destination"), open: () => Promise.reject(error) };

    const found = await outcomeOf(clusterChecks(subject, cluster.clock), "dst-reach");

    expect(found).toMatchObject({ result: "fail", message, code });
  });
});

describe("dst-version", () => {
  it.each([
    ["34", "ok"],
    ["36+", "ok"],
    ["33", "warn"],
    ["37", "warn"],
    ["none", "warn"],
  ])("judges minor %s: %s", async (minor, result) => {
    cluster.answers.set("/version", { body: { gitVersion: `v1.${minor}.0`, minor } });

    expect((await outcome("dst-version")).result).toBe(result);
  });
});

describe("dst-clock", () => {
  it.each([
    [0, "ok"],
    [4_000, "ok"],
    [-7_000, "warn"],
    [59_000, "warn"],
    [-62_000, "fail"],
  ])("judges clocks that are %i ms apart: %s", async (apartMs, result) => {
    const now = Math.floor(cluster.clock.now() / 1_000) * 1_000;
    cluster.answers.set("/version", { dateMs: now + apartMs });

    expect((await outcome("dst-clock")).result).toBe(result);
  });
});

describe("dst-cred", () => {
  const HOUR = 3_600_000;

  beforeEach(() => {
    cluster.answers.set("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      status: 201,
      body: { status: { userInfo: { username: "system:serviceaccount:x:y" } } },
    });
  });

  it.each([
    ["half of its life left", -HOUR, HOUR, "ok"],
    ["its last part", -HOUR, HOUR / 10, "warn"],
    ["its end behind it", -HOUR, -1, "fail"],
  ])("judges a token with %s", async (_, issued, expires, result) => {
    const now = cluster.clock.now();
    cluster.facts = { ...cluster.facts, issuedAtMs: now + issued, expiresAtMs: now + expires };

    const found = await outcome("dst-cred");

    expect(found.result).toBe(result);
    expect(found.message).toContain("system:serviceaccount:x:y, by a token until ");
  });

  it("warns of a token that does not end", async () => {
    expect(await outcome("dst-cred")).toMatchObject({ result: "warn" });
  });

  it("has nothing against a credential that is no token and names no end", async () => {
    cluster.facts = { ...cluster.facts, kind: "none" };

    expect((await outcome("dst-cred")).result).toBe("ok");
  });
});
