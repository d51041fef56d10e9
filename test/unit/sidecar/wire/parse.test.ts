import { describe, expect, it } from "vitest";
import { parseStored } from "../../../../sidecar/wire/parse.js";
import {
  CRON_TAB,
  deployment,
  entry,
  envelope,
  field,
  GOLDEN_NAMESPACE,
  json,
  number,
  object,
} from "../../../fixtures/wire/values.js";

const text = (value: string) => parseStored(Buffer.from(value));
const cronTab = (metadata: string): string =>
  `{"apiVersion":"a/v1","kind":"B","metadata":{${metadata}}}`;

describe("reading a protobuf value", () => {
  it("reads the Namespace of an old cluster, clusterName and all", () => {
    expect(object(GOLDEN_NAMESPACE)).toEqual({
      bytes: GOLDEN_NAMESPACE,
      encoding: "protobuf",
      apiVersion: "v1",
      kind: "Namespace",
      meta: {
        name: "default",
        namespace: "",
        uid: "e56c3308-1ea8-11e7-8cd7-f4e9d49f8ed0",
        generation: 0n,
        deleting: false,
        labels: {},
        annotations: {},
        ownerReferences: [],
        finalizers: [],
      },
    });
  });

  it("reads all metadata that the mirror decides by", () => {
    expect(object(deployment()).meta).toEqual({
      name: "web",
      namespace: "shop",
      uid: "uid-old",
      generation: 300n,
      deleting: true,
      labels: { app: "web", tier: "front" },
      annotations: { "deployment.kubernetes.io/revision": "4" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: "web",
          uid: "uid-1",
          controller: true,
          blockOwnerDeletion: undefined,
        },
      ],
      finalizers: ["example.com/keep", "foregroundDeletion"],
    });
  });

  it("reads a generation below 0 as the API server does", () => {
    const minusOne = Buffer.from("38ffffffffffffffffff01", "hex");

    expect(object(envelope("v1", "A", [field(1, minusOne)])).meta.generation).toBe(-1n);
  });

  it("does not copy the value", () => {
    const value = deployment();

    expect(object(value).bytes).toBe(value);
  });

  it("takes an envelope that says nothing of encoding and type", () => {
    expect(object(envelope("v1", "Secret", [field(1, [field(1, "a")])], [])).meta.name).toBe("a");
  });

  it("takes an object without metadata", () => {
    expect(object(envelope("v1", "Odd", [field(2, "x")])).meta.name).toBe("");
  });

  it("knows a label called __proto__ and none that was not given", () => {
    const labels = [entry(11, "__proto__", "x"), entry(11, "empty", "")];
    const { meta } = object(deployment({ labels }));

    expect(Object.keys(meta.labels)).toEqual(["__proto__", "empty"]);
    expect(meta.labels["constructor"]).toBeUndefined();
  });

  it.each([
    ["content with an encoding of its own", envelope("v1", "A", [], [field(3, "gzip")])],
    ["two objects", envelope("v1", "A", [], [field(2, "")])],
    ["two kinds", envelope("v1", "A", [], [field(1, "")])],
    ["two metadata", envelope("v1", "A", [field(1, ""), field(1, "")])],
    ["no kind", envelope("v1", "", [])],
    ["no version", envelope("", "A", [])],
    ["no object", Buffer.concat([Buffer.from("k8s\0"), field(1, [field(1, "v1"), field(2, "A")])])],
    ["nothing in the envelope", Buffer.from("k8s\0")],
    ["a name that is a number", envelope("v1", "A", [field(1, [number(1, 1)])])],
    ["an object that is a number", Buffer.concat([Buffer.from("k8s\0"), number(2, 1)])],
    ["a label that is no entry", envelope("v1", "A", [field(1, [field(11, "x")])])],
    ["a cut behind the metadata", envelope("v1", "A", [field(1, ""), Buffer.from([0x12, 9])])],
  ])("refuses %s", (_, value) => {
    expect(parseStored(value)).toMatchObject({ kind: "unreadable", reason: "malformed" });
  });
});

describe("reading a JSON value", () => {
  it("reads a custom resource", () => {
    const read = json(CRON_TAB);

    expect(read).toMatchObject({
      encoding: "json",
      apiVersion: "stable.example.com/v1",
      kind: "CronTab",
    });
    expect(read.meta).toMatchObject({
      name: "tab",
      namespace: "shop",
      generation: 2n,
      labels: { app: "web" },
      annotations: { note: "a < b" },
    });
  });

  it("takes the kind before the version, as typed kinds are stored", () => {
    expect(json('{"kind":"A","apiVersion":"b/v1"}').kind).toBe("A");
  });

  it("lets the last of several members with one key count, as Go does", () => {
    const read = json(
      cronTab('"name":"a","labels":{"x":"1"},"labels":{"y":"1","y":"2"},"name":"b"'),
    );

    expect(read.meta).toMatchObject({ name: "b", labels: { y: "2" } });
    expect(read.meta.labels["x"]).toBeUndefined();
  });

  it("takes keys called __proto__ for what they are", () => {
    const { meta } = json(cronTab('"labels":{"__proto__":"x"},"__proto__":{"name":"evil"}'));

    expect(Object.keys(meta.labels)).toEqual(["__proto__"]);
    expect(meta.name).toBe("");
  });

  it("reads a generation above 2^53 exactly", () => {
    expect(json(cronTab('"generation":9007199254740993')).meta.generation).toBe(9007199254740993n);
  });

  it("takes null for absent", () => {
    const nulls = ["labels", "annotations", "ownerReferences", "finalizers", "deletionTimestamp"];

    const { meta } = json(cronTab(nulls.map((key) => `"${key}":null`).join(",")));

    expect(meta).toMatchObject({
      labels: {},
      annotations: {},
      ownerReferences: [],
      finalizers: [],
    });
    expect(meta.deleting).toBe(false);
  });

  it.each([
    ["what is cut off", CRON_TAB.slice(0, 100)],
    ["two objects", `${CRON_TAB}${CRON_TAB}`],
    ["no kind", '{"apiVersion":"v1"}'],
    ["a kind that is no text", '{"apiVersion":"v1","kind":{}}'],
    ["metadata that is a list", '{"apiVersion":"v1","kind":"A","metadata":[]}'],
    ["a label that is no text", cronTab('"labels":{"a":1}')],
    ["a finalizer that is no text", cronTab('"finalizers":[1]')],
    ["finalizers that are no list", cronTab('"finalizers":{}')],
    ["an owner that is no object", cronTab('"ownerReferences":["a"]')],
    ["a flag that is no flag", cronTab('"ownerReferences":[{"controller":"yes"}]')],
    ["a generation that is a text", cronTab('"generation":"1"')],
    ["a generation that is a fraction", cronTab('"generation":1.5')],
  ])("refuses %s", (_, value) => {
    expect(text(value)).toMatchObject({ kind: "unreadable", reason: "malformed" });
  });

  it("never quotes the value when it refuses it", () => {
    expect(JSON.stringify(text('{"data":"hunter2"'))).not.toContain("hunter2");
  });
});

describe("reading other values", () => {
  it("says that a value is still encrypted", () => {
    expect(text("k8s:enc:aescbc:v1:key1:xyz")).toMatchObject({ reason: "encrypted" });
  });

  it("says that it cannot read CBOR, and which feature gate writes it", () => {
    const parsed = parseStored(Buffer.from("d9d9f7a0", "hex"));

    expect(parsed).toMatchObject({ reason: "cbor" });
    expect(JSON.stringify(parsed)).toContain("CBORServingAndStorage");
  });

  it.each(["", "k8s", "k8s\u0001abc", "10.0.0.1", " {}", "[]"])("refuses %j", (value) => {
    expect(text(value)).toMatchObject({ kind: "unreadable", reason: "malformed" });
  });
});
