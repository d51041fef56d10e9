import { beforeEach, describe, expect, it } from "vitest";
import { podRangesCheck } from "../../../../src/doctor/pod-ranges-check.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { NODES, PODS } from "../../../../src/ports/kube-resources.js";
import { Inspected } from "../../../fixtures/inspected.js";

let source: Inspected;
let destination: Inspected;

beforeEach(() => {
  source = new Inspected("a");
  destination = new Inspected("bb");
});

function outcome(): Promise<Outcome> {
  const check = podRangesCheck(source.subject(), destination.subject("destination"));
  return check.run(new AbortController().signal);
}

function node({ memory }: Inspected, name: string, ...podCIDRs: readonly string[]): void {
  memory.create(NODES, { metadata: { name }, spec: { podCIDRs } } as KubeObject);
}

function pod({ memory }: Inspected, name: string, ip: string, spec: object = {}): void {
  const metadata = { namespace: "default", name };
  memory.create(PODS, { metadata, spec, status: { podIPs: [{ ip }] } } as KubeObject);
}

describe("pod-ranges", () => {
  it("is right where the nodes' ranges are apart", async () => {
    node(source, "one", "10.0.0.0/24", "fd00::/64");
    node(destination, "two", "10.0.1.0/24");

    expect(await outcome()).toEqual({
      result: "ok",
      message: "2 ranges of nodes in a, 1 range of nodes in bb: none in common",
    });
  });

  it("fails where they lie over each other, and names them", async () => {
    node(source, "one", "10.0.0.0/16");
    node(destination, "two", "10.0.1.0/24");

    expect(await outcome()).toMatchObject({
      result: "fail",
      message: "pods of both clusters have the same addresses: 10.0.0.0/16 and 10.0.1.0/24",
    });
  });

  it("goes by pods where nodes have no ranges, but not by those on the host's network", async () => {
    node(source, "one");
    pod(source, "web", "10.0.0.7");
    pod(source, "proxy", "10.0.1.1", { hostNetwork: true });
    node(destination, "two", "10.0.1.0/24");
    const apart = await outcome();
    pod(source, "late", "10.0.1.9");

    expect(apart.result).toBe("ok");
    expect(await outcome()).toMatchObject({
      result: "fail",
      message: "pods of both clusters have the same addresses: 10.0.1.9 and 10.0.1.0/24",
    });
  });

  it("goes by pods where nodes may not be read", async () => {
    node(source, "one", "10.0.0.0/16");
    pod(source, "web", "10.0.0.7");
    source.before = (request) => {
      if (request.startsWith("list nodes")) throw new RetryableError("FERRY-K006", "no");
    };
    node(destination, "two", "10.0.1.0/24");

    expect((await outcome()).message).toBe(
      "1 address of pods in a, 1 range of nodes in bb: none in common",
    );
  });

  it("is skipped where nothing tells", async () => {
    node(source, "one", "10.0.0.0/16");

    expect(await outcome()).toMatchObject({
      result: "skip",
      message: "nodes of bb have no ranges, and there are no pods to tell by",
    });
  });

  it("has nothing to compare within one cluster", async () => {
    node(source, "one", "10.0.0.0/16");
    destination = source;

    expect((await outcome()).result).toBe("ok");
  });
});
