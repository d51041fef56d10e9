import { beforeEach, describe, expect, it } from "vitest";
import { handOffCheck, type HandOffPeer } from "../../../../src/doctor/hand-off-check.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import { LEASES } from "../../../../src/leader/lease-record.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { NAMESPACES } from "../../../../src/ports/kube-resources.js";
import { Inspected } from "../../../fixtures/inspected.js";

const PLACE = { namespace: "k8s-sync", name: "leader" };
const ADDRESS = "10.0.0.9:9444";

let cluster: Inspected;
let asked: HandOffPeer[];

beforeEach(() => {
  cluster = newCluster();
  asked = [];
});

function newCluster(): Inspected {
  const made = new Inspected("a");
  made.memory.create(NAMESPACES, { metadata: { name: PLACE.namespace } });
  return made;
}

function lead(annotations: Readonly<Record<string, string>>, holderIdentity = "ferry-0"): void {
  const metadata = { ...PLACE, annotations };
  cluster.memory.create(LEASES, { metadata, spec: { holderIdentity } } as KubeObject);
}

/** @param ownPod "": in none */
function outcome(ask: () => Promise<void> = async () => {}, ownPod = "ferry-1"): Promise<Outcome> {
  const check = handOffCheck(cluster.subject(), {
    place: PLACE,
    clock: cluster.clock,
    ownPod: ownPod === "" ? undefined : ownPod,
    ask: async (leader) => {
      asked.push(leader);
      return ask();
    },
  });
  return check.run(new AbortController().signal);
}

const failing = (message: string, cause?: Error) => async (): Promise<never> =>
  Promise.reject(new RetryableError("FERRY-H001", message, { cause }));
const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });

describe("handoff", () => {
  it("is right where the leader takes what is handed over", async () => {
    lead({ "svc-ferry.io/hand-off": ADDRESS });

    expect(await outcome()).toEqual({
      result: "ok",
      message: `ferry-0 takes it at ${ADDRESS}, in 0 ms`,
    });
    expect(asked).toEqual([{ identity: "ferry-0", address: ADDRESS }]);
  });

  it("says of the leader's own pod that it proves little there", async () => {
    lead({ "svc-ferry.io/hand-off": ADDRESS });

    expect((await outcome(undefined, "ferry-0")).message).toMatch(/ask in another one as well$/);
  });

  it("fails where the leader publishes no address", async () => {
    lead({});

    expect(await outcome()).toMatchObject({
      result: "fail",
      message: "ferry-0 publishes no address for the hand-off on its Lease",
    });
    expect(asked).toEqual([]);
  });

  it("fails in a pod that does not reach the leader, and is skipped outside of the cluster", async () => {
    lead({ "svc-ferry.io/hand-off": ADDRESS });

    const inside = await outcome(failing("cannot be reached", refused));
    const outside = await outcome(failing("cannot be reached", refused), "");
    const late = Object.assign(new Error("late"), { name: "AbortError" });
    const silent = await outcome(failing("no answer", late), "");

    expect(inside).toMatchObject({ result: "fail", code: "FERRY-H001" });
    expect([outside.result, silent.result]).toEqual(["skip", "skip"]);
    expect(outside.remedy?.command).toBe(
      "kubectl --context ctx-a -n k8s-sync exec deploy/svc-ferry -- svc-ferry doctor --only handoff",
    );
  });

  it("fails from everywhere on an answer that is wrong", async () => {
    lead({ "svc-ferry.io/hand-off": ADDRESS });
    const foreign = Object.assign(new Error("chain"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });

    const stranger = await outcome(failing("another CA", foreign), "");
    const follower = await outcome(failing("ferry-0 answered 409"), "");

    expect([stranger.result, follower.result]).toEqual(["fail", "fail"]);
  });

  it("is skipped while nobody leads, and lets other errors through", async () => {
    lead({ "svc-ferry.io/hand-off": ADDRESS }, "");
    expect((await outcome()).result).toBe("skip");
    cluster = newCluster();
    lead({ "svc-ferry.io/hand-off": ADDRESS });

    const refusing = async (): Promise<never> =>
      Promise.reject(new RetryableError("FERRY-K006", "may not read the Secret"));
    await expect(outcome(refusing)).rejects.toThrow("may not read the Secret");
  });
});
