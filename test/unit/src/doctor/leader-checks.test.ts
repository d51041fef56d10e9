import { beforeEach, describe, expect, it } from "vitest";
import { leaderChecks } from "../../../../src/doctor/leader-checks.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import { LEASES } from "../../../../src/leader/lease-record.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { NAMESPACES, PODS } from "../../../../src/ports/kube-resources.js";
import { rfc3339 } from "../../../../src/ports/timestamps.js";
import { Inspected, outcomeOf } from "../../../fixtures/inspected.js";

let cluster: Inspected;

beforeEach(() => {
  cluster = new Inspected("a");
  cluster.memory.create(NAMESPACES, { metadata: { name: "k8s-sync" } });
});

const PLACE = { namespace: "k8s-sync", name: "leader" };

function outcome(id: "lease" | "pods", place = PLACE): Promise<Outcome> {
  return outcomeOf(leaderChecks(cluster.subject(), place, cluster.clock), id);
}

function lease(holderIdentity: string, ageMs = 1_000): void {
  const renewTime = rfc3339(cluster.clock.now() - ageMs).replace("Z", "000Z");
  const spec = { holderIdentity, leaseDurationSeconds: 15, renewTime };
  cluster.memory.create(LEASES, { metadata: PLACE, spec } as KubeObject);
}

function pod(
  name: string,
  more: { ready?: boolean; node?: string; image?: string; restarts?: number } = {},
): void {
  const { ready = true, node = name, image = "sha256:1", restarts = 0 } = more;
  const terminated = { reason: "OOMKilled", exitCode: 137 };
  cluster.memory.create(PODS, {
    metadata: {
      namespace: "k8s-sync",
      name,
      labels: { "app.kubernetes.io/name": "svc-ferry", "app.kubernetes.io/component": "ferry" },
    },
    spec: { nodeName: node },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [
        {
          imageID: image,
          restartCount: restarts,
          ...(restarts > 0 ? { lastState: { terminated } } : {}),
        },
      ],
    },
  } as KubeObject);
}

describe("lease", () => {
  it("is right when a pod renewed it a moment ago", async () => {
    lease("pod-1");
    pod("pod-1");

    expect(await outcome("lease")).toEqual({ result: "ok", message: "pod-1, renewed 1.0 s ago" });
  });

  it("is right as well for whoever may not read pods", async () => {
    lease("pod-1");
    cluster.before = (request) => {
      if (request.startsWith("get pods")) throw new RetryableError("FERRY-K006", "no");
    };

    expect((await outcome("lease")).result).toBe("ok");
  });

  it("warns of a holder that is no pod there", async () => {
    lease("laptop");

    expect(await outcome("lease")).toMatchObject({ result: "warn" });
  });

  it("fails when nobody has renewed it", async () => {
    lease("pod-1", 21_000);

    expect(await outcome("lease")).toMatchObject({
      result: "fail",
      message: "pod-1, renewed 21.0 s ago: nobody has renewed it since",
    });
  });

  it("fails when it was given back, or never made", async () => {
    const never = await outcome("lease");
    lease("");

    expect(never).toMatchObject({ result: "fail", message: expect.stringContaining("no Lease") });
    expect(await outcome("lease")).toMatchObject({ message: "nobody holds the Lease" });
  });

  it("fails when its namespace is missing, with the command that makes it", async () => {
    expect(await outcome("lease", { ...PLACE, namespace: "absent" })).toMatchObject({
      result: "fail",
      remedy: { command: "kubectl --context ctx-a create namespace absent" },
    });
  });
});

describe("pods", () => {
  it("are right when all are ready, on two nodes, of one image", async () => {
    pod("one");
    pod("two");

    expect(await outcome("pods")).toEqual({ result: "ok", message: "2 of 2 ready, on 2 nodes" });
  });

  it.each([
    [{ node: "one" }, "warn", "2 of 2 ready, all on one node"],
    [{ image: "sha256:2" }, "warn", "2 of 2 ready, of 2 different images"],
    [{ ready: false }, "warn", "1 of 2 ready"],
    [{ restarts: 5 }, "warn", "2 of 2 ready; two: OOMKilled, exit code 137"],
  ])("are to be looked at with %j", async (second, result, message) => {
    pod("one");
    pod("two", second);

    expect(await outcome("pods")).toMatchObject({ result, message });
  });

  it("fail when none is ready", async () => {
    pod("one", { ready: false });

    expect(await outcome("pods")).toMatchObject({ result: "fail", message: "0 of 1 ready" });
  });

  it("are skipped where there are none, or where they may not be read", async () => {
    const none = await outcome("pods");
    cluster.before = () => {
      throw new RetryableError("FERRY-K006", "no");
    };

    expect(none.result).toBe("skip");
    await expect(outcome("pods")).rejects.toThrow("no");
  });
});
