import { describe, expect, it } from "vitest";
import {
  copiedLabels,
  isOurAnnotation,
  keysRecord,
  recordedKeys,
  routeOf,
} from "../../../../src/domain/labels.js";

describe("copiedLabels", () => {
  it.each([
    "app",
    "app.kubernetes.io/name",
    "app.kubernetes.io/version",
    "example.com/team",
    "notkubernetes.io/x",
    "k8s.io.example.com/x",
    "kubernetes.io",
    "release",
  ])("takes %s along", (key) => {
    expect(copiedLabels({ [key]: "v" }, new Set())).toEqual({ [key]: "v" });
  });

  it.each([
    "kubernetes.io/service-name",
    "service.kubernetes.io/headless",
    "endpointslice.kubernetes.io/skip-mirror",
    "topology.k8s.io/zone",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    "helm.sh/chart",
    "heritage",
    "chart",
    "argocd.argoproj.io/instance",
    "kustomize.toolkit.fluxcd.io/name",
    "svc-ferry.io/link",
  ])("leaves %s behind", (key) => {
    expect(copiedLabels({ [key]: "v" }, new Set())).toEqual({});
  });

  it("leaves the keys of every route's selector behind", () => {
    const labels = { sync: "true", legacy: "", app: "web" };

    expect(copiedLabels(labels, new Set(["sync", "legacy"]))).toEqual({ app: "web" });
  });
});

describe("keysRecord", () => {
  it("gives equal text for equal sets, whatever their order", () => {
    expect(keysRecord(["b", "a"], ["d", "c"])).toBe("a:c,a:d,l:a,l:b");
    expect(keysRecord(["a", "b"], ["c", "d"])).toBe("a:c,a:d,l:a,l:b");
  });

  it("records nothing as empty text, which reads back as nothing", () => {
    const record = keysRecord([], []);

    expect(record).toBe("");
    expect(recordedKeys({ "svc-ferry.io/keys": record })).toEqual({ labels: [], annotations: [] });
  });
});

describe("recordedKeys", () => {
  it("passes over what it does not understand", () => {
    const annotations = { "svc-ferry.io/keys": "x:y,,l:app,nonsense,a:example.com/owner" };

    expect(recordedKeys(annotations)).toEqual({
      labels: ["app"],
      annotations: ["example.com/owner"],
    });
  });

  it("finds nothing on an object without the record", () => {
    expect(recordedKeys({})).toEqual({ labels: [], annotations: [] });
  });
});

describe("routeOf", () => {
  it.each([
    ["shop@0123abcd", { name: "shop", digest: "0123abcd" }],
    ["a@b@0123abcd", { name: "a@b", digest: "0123abcd" }],
    ["shop", undefined],
  ])("reads %s", (value, expected) => {
    expect(routeOf({ "svc-ferry.io/route": value })).toEqual(expected);
  });

  it("is undefined without the annotation", () => {
    expect(routeOf({})).toBeUndefined();
  });
});

describe("isOurAnnotation", () => {
  it("knows ours by the prefix, and no lookalike", () => {
    expect(isOurAnnotation("svc-ferry.io/paused")).toBe(true);
    expect(isOurAnnotation("svc-ferry.iox/paused")).toBe(false);
  });
});
