import { describe, expect, it } from "vitest";
import {
  endpointsAddresses,
  parseEndpoints,
  parseForeignSlice,
  parseMirrorSlice,
  parsePassingService,
  parseService,
  parseSourceSlice,
} from "../../../../src/domain/parse.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { rawSlice } from "../../../fixtures/slices.js";

const METADATA = { namespace: "shop", name: "web", uid: "u1", resourceVersion: "7" };

describe("parseService", () => {
  it("keeps what the rules read and nothing else of the spec", () => {
    const object = {
      metadata: { ...METADATA, creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: {
        type: "NodePort",
        clusterIP: "10.96.0.1",
        clusterIPs: ["10.96.0.1"],
        externalTrafficPolicy: "Local",
        externalIPs: ["1.2.3.4"],
        ports: [{ name: "http", port: 80, nodePort: 30_080 }],
        publishNotReadyAddresses: false,
      },
    };

    expect(parseService(object, () => false)).toEqual({
      ...METADATA,
      creationTimestamp: "2026-01-01T00:00:00Z",
      deleting: false,
      labels: {},
      annotations: {},
      spec: { type: "NodePort", ports: [{ name: "http", port: 80 }] },
    });
  });

  it("keeps the address of a headless Service, which is None", () => {
    const object = { metadata: METADATA, spec: { clusterIP: "None" } };

    expect(parseService(object, () => false).spec).toEqual({ clusterIP: "None" });
  });

  it("keeps our annotations and those that are asked for", () => {
    const annotations = { "svc-ferry.io/paused": "true", "a/b": "1", "kubectl/last": "{}" };

    const { annotations: kept } = parseService(
      { metadata: { ...METADATA, annotations } },
      (key) => key === "a/b",
    );

    expect(kept).toEqual({ "svc-ferry.io/paused": "true", "a/b": "1" });
  });

  it("counts a Service with a deletion timestamp as being deleted", () => {
    const metadata = { ...METADATA, deletionTimestamp: "2026-01-01T00:00:00Z" };

    expect(parseService({ metadata }, () => false).deleting).toBe(true);
  });

  it("reads an object without labels, annotations and spec", () => {
    expect(parseService({ metadata: { name: "web" } }, () => true)).toMatchObject({
      namespace: "",
      uid: "",
      labels: {},
      annotations: {},
      spec: {},
    });
  });
});

describe("parsePassingService", () => {
  const object = () => ({
    metadata: {
      ...METADATA,
      labels: { app: "web" },
      annotations: { "svc-ferry.io/paused": "true" },
    },
    spec: { type: "ClusterIP", ports: [{ name: "http", port: 80 }] },
  });

  it("reads a Service as a cache would", () => {
    expect(parsePassingService(object(), () => true)).toEqual(parseService(object(), () => true));
  });

  it("leaves nothing of it behind, where a cache has equal specs once", () => {
    const [kept, keptToo] = [object(), object()].map((one) => parseService(one, () => true));
    const [one, other] = [object(), object()].map((each) => parsePassingService(each, () => true));

    expect(keptToo?.spec).toBe(kept?.spec);
    expect(other?.spec).not.toBe(one?.spec);
    expect(other?.spec).not.toBe(kept?.spec);
  });
});

describe("parseSourceSlice", () => {
  it("reads whose endpoints it holds, and what it says", () => {
    const raw = rawSlice("shop/web-1", "web").address("10.0.0.1");

    const slice = parseSourceSlice(raw, sha256);

    expect(slice).toMatchObject({
      namespace: "shop",
      name: "web-1",
      serviceName: "web",
      addressType: "IPv4",
    });
    expect(slice.digest).toBe(sha256(slice.content, 32));
  });
});

describe("parseMirrorSlice", () => {
  it("has the source slice's digest when it says the same, and finds its owner", () => {
    const source = rawSlice("shop/web-1", "web").address("10.0.0.1");
    const metadata = {
      ...METADATA,
      annotations: { "svc-ferry.io/source": "shop/web-1" },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "api", uid: "u2" }],
    };

    const slice = parseMirrorSlice(source.with({ metadata }), sha256);

    expect(slice).toMatchObject({
      source: "shop/web-1",
      ownerUid: "u2",
      ownerKey: "shop/api",
      digest: source.parsed().digest,
    });
  });
});

describe("parseForeignSlice", () => {
  it("reads who manages it and which name it adds to", () => {
    const labels = {
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    };

    expect(parseForeignSlice({ metadata: { ...METADATA, labels } })).toEqual({
      ...METADATA,
      serviceName: "web",
      managedBy: "endpointslice-controller.k8s.io",
    });
  });
});

describe("parseForeignSlice of one of ours without its link label", () => {
  it("reads the source slice, but not of another installation's", () => {
    const managed = { "endpointslice.kubernetes.io/managed-by": "svc-ferry.io" };
    const annotations = { "svc-ferry.io/source": "shop/web-1" };
    const theirs = { ...managed, "svc-ferry.io/link": "theirs" };
    const parsed = [managed, theirs].map((labels) =>
      parseForeignSlice({ metadata: { ...METADATA, labels, annotations } }),
    );

    expect(parsed.map(({ lostSource }) => lostSource)).toEqual(["shop/web-1", undefined]);
  });
});

describe("parseEndpoints", () => {
  const subsets = [
    {
      addresses: [{ ip: "10.0.0.1" }],
      notReadyAddresses: [{ ip: "10.0.0.2" }],
      ports: [{ port: 80 }],
    },
  ];

  it("has the same digest whoever spelled the defaults out", () => {
    const spelled = [{ ...subsets[0], ports: [{ port: 80, protocol: "TCP", name: "" }] }];
    const digest = (all: unknown): string =>
      parseEndpoints({ metadata: METADATA, subsets: all } as never, sha256).digest;

    expect(digest(spelled)).toBe(digest(subsets));
    expect(digest(null)).toBe(digest(undefined));
  });

  it("gives all addresses, ready or not, to who compares them", () => {
    expect(endpointsAddresses({ metadata: METADATA, subsets } as never)).toEqual([
      "10.0.0.1",
      "10.0.0.2",
    ]);
    expect(endpointsAddresses({ metadata: METADATA })).toEqual([]);
  });
});
