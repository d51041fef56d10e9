import { describe, expect, it } from "vitest";
import { fieldValue, knownFields } from "../../../../sidecar/wire/field-value.js";
import { localAnnotations } from "../../../../sidecar/wire/local-annotations.js";
import { CRON_TAB, envelope, field, json, number, object } from "../../../fixtures/wire/values.js";

const META = field(1, [field(1, "web"), field(3, "shop")]);

const POD = object(
  envelope("v1", "Pod", [
    META,
    field(2, [
      field(3, "Always"),
      field(8, "robot"),
      field(10, "node-1"),
      number(11, 1),
      field(19, "default"),
    ]),
    field(3, [field(1, "Running"), field(6, "10.1.0.1"), field(11, "node-2")]),
  ]),
);
const EVENT = object(
  envelope("v1", "Event", [
    META,
    field(2, [
      field(1, "Pod"),
      field(2, "shop"),
      field(3, "web"),
      field(4, "u"),
      field(5, "v1"),
      field(6, "7"),
      field(7, "spec"),
    ]),
    field(3, "Killing"),
    field(5, [field(1, "kubelet")]),
    field(9, "Normal"),
    field(14, "kubelet"),
  ]),
);

describe("a field of a built-in kind in protobuf", () => {
  it.each([
    ["metadata.name", "web"],
    [".metadata.namespace", "shop"],
    ["spec.nodeName", "node-1"],
    ["spec.restartPolicy", "Always"],
    ["spec.schedulerName", "default"],
    ["spec.serviceAccountName", "robot"],
    ["spec.hostNetwork", "true"],
    ["status.phase", "Running"],
    ["status.podIP", "10.1.0.1"],
    ["status.nominatedNodeName", "node-2"],
    ["spec.unknown", undefined],
    ["spec", undefined],
    ["constructor", undefined],
  ])("is found in a Pod: %s", (path, value) => {
    expect(fieldValue(POD, path)).toBe(value);
  });

  it.each([
    ["involvedObject.kind", "Pod"],
    ["involvedObject.namespace", "shop"],
    ["involvedObject.name", "web"],
    ["involvedObject.uid", "u"],
    ["involvedObject.apiVersion", "v1"],
    ["involvedObject.resourceVersion", "7"],
    ["involvedObject.fieldPath", "spec"],
    ["reason", "Killing"],
    ["source", "kubelet"],
    ["type", "Normal"],
    ["reportingComponent", "kubelet"],
  ])("is found in an Event: %s", (path, value) => {
    expect(fieldValue(EVENT, path)).toBe(value);
  });

  it.each([
    ["v1", "Secret", "type", [field(3, "Opaque")], "Opaque"],
    ["v1", "Namespace", "status.phase", [field(3, [field(1, "Active")])], "Active"],
    ["v1", "Node", "spec.unschedulable", [field(2, [number(4, 1)])], "true"],
    ["v1", "ReplicationController", "status.replicas", [field(3, [number(1, 3)])], "3"],
    ["apps/v1", "ReplicaSet", "status.replicas", [field(3, [number(1, 3)])], "3"],
    ["v1", "Service", "spec.clusterIP", [field(2, [field(3, "None")])], "None"],
    ["v1", "Service", "spec.type", [field(2, [field(4, "ClusterIP")])], "ClusterIP"],
    ["v1", "Service", "type", [field(2, [field(4, "ClusterIP")])], "ClusterIP"],
    ["batch/v1", "Job", "status.successful", [field(3, [number(5, 2)])], "2"],
    [
      "certificates.k8s.io/v1",
      "CertificateSigningRequest",
      "spec.signerName",
      [field(2, [field(7, "s")])],
      "s",
    ],
  ])("is found in %s %s: %s", (apiVersion, kind, path, fields, value) => {
    expect(fieldValue(object(envelope(apiVersion, kind, [META, ...fields])), path)).toBe(value);
  });

  it("has its zero value when it is not there, as for the API server", () => {
    const pod = object(envelope("v1", "Pod", [META, field(2, "")]));

    expect(fieldValue(pod, "spec.nodeName")).toBe("");
    expect(fieldValue(pod, "status.phase")).toBe("");
    expect(fieldValue(pod, "spec.hostNetwork")).toBe("false");
  });
});

describe("a field of a JSON value", () => {
  it.each([
    ["metadata.name", "tab"],
    ["kind", "CronTab"],
    [".spec.big", "9007199254740993"],
    ["spec.ratio", "1.50"],
    ["status.phase", "Ready"],
    ["metadata.annotations.note", "a < b"],
    ["spec.none", undefined],
    ["spec.list", undefined],
    ["spec.list.0", undefined],
    ["spec", undefined],
    ["spec.big.deeper", undefined],
  ])("is found by any path: %s", (path, value) => {
    expect(fieldValue(json(CRON_TAB), path)).toBe(value);
  });

  it("is empty where null stands", () => {
    const one = json('{"apiVersion":"a/v1","kind":"B","spec":{"a":null,"b":true}}');

    expect(fieldValue(one, "spec.a")).toBe("");
    expect(fieldValue(one, "spec.b")).toBe("true");
  });

  it("of a built-in kind has the API's name for it, and its zero value", () => {
    const job = json('{"apiVersion":"batch/v1","kind":"Job","status":{"succeeded":2}}');
    const fresh = json('{"apiVersion":"batch/v1","kind":"Job"}');

    expect(fieldValue(job, "status.successful")).toBe("2");
    expect(fieldValue(fresh, "status.successful")).toBe("0");
  });
});

describe("the fields that a selector can ask for", () => {
  it("are name and namespace of every built-in kind", () => {
    expect(knownFields("apps", "Deployment")).toEqual(["metadata.name", "metadata.namespace"]);
  });

  it("are more for some", () => {
    expect(knownFields("", "Secret")).toEqual(["metadata.name", "metadata.namespace", "type"]);
  });

  it("are those of the group's kind, not of a namesake", () => {
    expect(knownFields("example.com", "Secret")).toEqual(["metadata.name", "metadata.namespace"]);
  });
});

describe("local annotations", () => {
  it("are known by group and kind", () => {
    expect(localAnnotations("apps", "Deployment")).toEqual(["deployment.kubernetes.io/revision"]);
    expect(localAnnotations("example.com", "Deployment")).toEqual([]);
  });
});
