import { describe, expect, it } from "vitest";
import { differingPaths, sameDesired } from "../../../../sidecar/wire/desired.js";
import { edit } from "../../../../sidecar/wire/edit.js";
import type { Edits, StoredObject } from "../../../../sidecar/wire/stored-object.js";
import {
  CRON_TAB,
  deployment,
  entry,
  envelope,
  field,
  json,
  object,
  wireKind,
} from "../../../fixtures/wire/values.js";

const REVISION = "deployment.kubernetes.io/revision";

/** Both functions at once: they must agree. */
function differences(a: StoredObject, b: StoredObject, localAnnotations: readonly string[] = []) {
  const kind = wireKind(a, { localAnnotations });
  const paths = differingPaths(a, b, kind);
  expect(sameDesired(a, b, kind)).toBe(paths.length === 0);
  expect(new Set(differingPaths(b, a, kind))).toEqual(new Set(paths));
  return paths;
}

function afterEdit(one: StoredObject, edits: Edits): StoredObject {
  return object(edit(one, edits, wireKind(one)));
}

describe.each([
  ["protobuf", object(deployment())],
  ["JSON", json(CRON_TAB)],
])("the desired part of a %s value", (_, one) => {
  it("has nothing of what the cluster writes", () => {
    const other = afterEdit(one, { uid: "other", generation: 77n, status: { kind: "drop" } });

    expect(differences(one, other)).toEqual([]);
  });

  it("has labels, annotations, owners and finalizers", () => {
    const other = afterEdit(one, {
      labels: { app: "other", more: "" },
      annotations: { note: "1" },
      ownerReferences: [],
      finalizers: ["other"],
    });

    expect(differences(one, other)).toEqual(
      expect.arrayContaining([
        "metadata.labels[app]",
        "metadata.labels[more]",
        "metadata.annotations[note]",
        "metadata.finalizers",
      ]),
    );
  });

  it("has no annotations that the destination's controllers write", () => {
    const other = afterEdit(one, { annotations: { [REVISION]: "5" } });

    expect(differences(one, other)).toEqual([`metadata.annotations[${REVISION}]`]);
    expect(differences(one, other, [REVISION])).toEqual([]);
  });
});

describe("the desired part of a protobuf value", () => {
  it("has the spec but not the status", () => {
    const one = object(deployment());

    expect(differences(one, object(deployment({ spec: "other" })))).toEqual(["spec"]);
    expect(differences(one, object(deployment({ status: "other" })))).toEqual([]);
  });

  it("has field 3 of a kind without status", () => {
    const secret = (type: string) =>
      object(envelope("v1", "Secret", [field(1, ""), field(3, type)]));

    expect(differences(secret("Opaque"), secret("other"))).toEqual(["field 3"]);
  });

  it("has no order of labels", () => {
    const labels = [entry(11, "app", "web"), entry(11, "tier", "front")];

    expect(
      differences(
        object(deployment({ labels })),
        object(deployment({ labels: labels.toReversed() })),
      ),
    ).toEqual([]);
  });

  it("has generateName and fields of metadata that are not known yet", () => {
    const of = (...metadata: readonly Buffer[]) =>
      object(envelope("v1", "A", [field(1, metadata)]));

    expect(differences(of(field(2, "a-")), of(field(2, "b-")))).toEqual(["metadata.generateName"]);
    expect(differences(of(field(20, "a")), of())).toEqual(["metadata.field 20"]);
    expect(differences(of(field(15, "old")), of(field(17, "managed")))).toEqual([]);
  });

  it("is another for another version", () => {
    const of = (version: string) => object(envelope(version, "A", [field(1, "")]));

    expect(differences(of("a/v1"), of("a/v2"))).toEqual(["apiVersion"]);
  });

  it("cannot be compared with JSON", () => {
    const one = json('{"apiVersion":"apps/v1","kind":"Deployment"}');

    expect(differences(object(deployment()), one)).toEqual(["encoding"]);
  });
});

describe("the desired part of a JSON value", () => {
  const of = (more: string) => json(`{"apiVersion":"a/v1","kind":"B",${more}}`);
  const spec = (text: string) => of(`"spec":${text}`);

  it("has no order of members, no white space and no spelling of texts", () => {
    expect(differences(spec('{"a":"é","b":1}'), spec('{ "b" : 1, "a": "\\u00e9" }'))).toEqual([]);
  });

  it("has numbers as they are spelled", () => {
    expect(differences(spec("9007199254740993"), spec("9007199254740992"))).toEqual(["spec"]);
    expect(differences(spec("1.0"), spec("1"))).toEqual(["spec"]);
  });

  it("says where lists and objects differ", () => {
    const one = spec('{"ports":[{"port":80},{"port":1}],"same":[],"gone":1,"list":[1]}');
    const other = spec('{"ports":[{"port":81},{"port":1}],"same":[],"new":{},"list":[1,2]}');

    expect(differences(one, other)).toEqual([
      "spec.ports[0].port",
      "spec.gone",
      "spec.list",
      "spec.new",
    ]);
  });

  it("tells null, absence and emptiness apart", () => {
    expect(differences(spec('{"a":null}'), spec("{}"))).toEqual(["spec.a"]);
    expect(differences(spec('{"a":null}'), spec('{"a":{}}'))).toEqual(["spec.a"]);
  });

  it("has a status where it is no subresource", () => {
    const [one, other] = [of('"status":{"a":1}'), of('"status":{"a":2}')];

    expect(differingPaths(one, other, wireKind(one, { hasStatus: false }))).toEqual(["status.a"]);
    expect(differences(one, other)).toEqual([]);
  });

  it("has members of metadata that are not known yet", () => {
    expect(differences(of('"metadata":{"new":1}'), of('"metadata":{"new":2}'))).toEqual([
      "metadata.new",
    ]);
  });

  it("takes the last of several members with one key", () => {
    expect(differences(spec('{"a":1,"a":2}'), spec('{"a":2}'))).toEqual([]);
  });

  it("names 20 paths and never a value", () => {
    const many = (value: string) =>
      spec(`{${Array.from({ length: 50 }, (_, index) => `"k${index}":"${value}"`).join(",")}}`);

    const paths = differingPaths(many("hunter1"), many("hunter2"), wireKind(many("x")));

    expect(paths).toHaveLength(20);
    expect(paths.join()).not.toContain("hunter");
  });

  it("survives a value that is nested beyond reason", () => {
    const deep = (value: string) => spec('{"a":'.repeat(50_000) + value + "}".repeat(50_000));

    expect(differences(deep("1"), deep("1 "))).toHaveLength(1);
  });
});
