import { describe, expect, it } from "vitest";
import { edit } from "../../../../sidecar/wire/edit.js";
import type { Edits, StoredObject } from "../../../../sidecar/wire/stored-object.js";
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
  wireKind,
} from "../../../fixtures/wire/values.js";

const edited = (one: StoredObject, edits: Edits, hasStatus = true): Buffer =>
  edit(one, edits, wireKind(one, { hasStatus }));

const OWNER = {
  apiVersion: "v1",
  kind: "ConfigMap",
  name: "root",
  uid: "u",
  controller: undefined,
  blockOwnerDeletion: false,
};

/** The golden Namespace with its metadata's and object's lengths, and what stands between them, as given. */
const namespace = (metadata: readonly Buffer[]): Buffer =>
  envelope("v1", "Namespace", [
    field(1, metadata),
    field(2, [field(1, "kubernetes")]),
    field(3, [field(1, "Active")]),
  ]);
const created = Buffer.from("420b0889f8b2c70510a3a0f717", "hex");
const UID = "e56c3308-1ea8-11e7-8cd7-f4e9d49f8ed0";
const head = (uid: string): readonly Buffer[] => [
  ...[field(1, "default"), field(2, ""), field(3, ""), field(4, ""), field(5, uid), field(6, "")],
  number(7, 0),
  created,
];
const clusterName = field(15, "");

describe("editing a protobuf value", () => {
  it("gives back the very bytes when there is nothing to do", () => {
    const one = object(GOLDEN_NAMESPACE);

    expect(edited(one, {})).toBe(GOLDEN_NAMESPACE);
    expect(edited(one, { uid: UID, finalizers: [], labels: { none: undefined } })).toBe(
      GOLDEN_NAMESPACE,
    );
  });

  it("is compared with values that are made as Go makes them", () => {
    expect(namespace([...head(UID), clusterName])).toEqual(GOLDEN_NAMESPACE);
  });

  it("changes the uid and the lengths around it, nothing else", () => {
    const result = edited(object(GOLDEN_NAMESPACE), { uid: "short" });

    expect(result).toEqual(namespace([...head("short"), clusterName]));
  });

  it("puts new fields where Go's encoder would, before the ones that no longer exist", () => {
    const edits = {
      labels: { b: "2", a: "1" },
      annotations: { note: "x" },
      ownerReferences: [OWNER],
      finalizers: ["one", "two"],
    };

    const result = edited(object(GOLDEN_NAMESPACE), edits);

    const owner = [
      field(1, "ConfigMap"),
      field(3, "root"),
      field(4, "u"),
      field(5, "v1"),
      number(7, 0),
    ];
    expect(result).toEqual(
      namespace([
        ...head(UID),
        entry(11, "a", "1"),
        entry(11, "b", "2"),
        entry(12, "note", "x"),
        field(13, owner),
        field(14, "one"),
        field(14, "two"),
        clusterName,
      ]),
    );
  });

  it("makes metadata when there is none", () => {
    const one = object(envelope("v1", "Odd", [field(2, "x")]));

    expect(edited(one, { uid: "u" })).toEqual(
      envelope("v1", "Odd", [field(1, [field(5, "u")]), field(2, "x")]),
    );
  });

  it("keeps entries of maps that it is not about, byte for byte, and sorts as Go does", () => {
    const odd = field(11, [field(2, "value first"), field(1, "m")]);
    const one = object(deployment({ labels: [odd, entry(11, "z", "1")] }));

    const result = edited(one, { labels: { z: undefined, a: "1", n: "2" } });

    const labels = [entry(11, "a", "1"), odd, entry(11, "n", "2")];
    expect(result).toEqual(deployment({ labels }));
  });

  it("removes what makes an object one that is being deleted", () => {
    const result = object(edited(object(deployment()), { undelete: true }));

    expect(result.meta).toEqual({ ...object(deployment()).meta, deleting: false });
    expect(deployment().length - result.bytes.length).toBe(8);
  });

  it("writes a generation, however large", () => {
    const result = edited(object(deployment()), { generation: 2n ** 40n });

    expect(object(result).meta.generation).toBe(2n ** 40n);
  });

  it("drops the status of a kind that has one", () => {
    const result = edited(object(deployment()), { status: { kind: "drop" } }, false);

    expect(result.includes(Buffer.from("status"))).toBe(false);
    expect(object(result).meta).toEqual(object(deployment()).meta);
  });

  it("leaves field 3 of a kind without status alone: of a Secret it is the type", () => {
    const secret = envelope("v1", "Secret", [field(1, [field(1, "a")]), field(3, "Opaque")]);

    expect(edited(object(secret), { status: { kind: "drop" } })).toBe(secret);
  });

  it("takes over the status of another value", () => {
    const other = object(deployment({ status: "theirs" }));

    const result = edited(object(deployment()), { status: { kind: "from", value: other } });

    expect(result).toEqual(deployment({ status: "theirs" }));
  });

  it.each([
    ["encoding", json('{"apiVersion":"apps/v1","kind":"Deployment","status":{"a":1}}')],
    ["kind", object(envelope("apps/v1", "DaemonSet", [field(3, "theirs")]))],
  ])("takes no status from a value of another %s", (_, value) => {
    const result = edited(object(deployment()), { status: { kind: "from", value } });

    expect(result).toEqual(edited(object(deployment()), { status: { kind: "drop" } }));
  });
});

describe("editing a JSON value", () => {
  const was = (from: string, to: string): string => {
    expect(CRON_TAB).toContain(from);
    return CRON_TAB.replace(from, () => to);
  };
  const result = (edits: Edits, of = CRON_TAB): string => edited(json(of), edits).toString();

  it("changes the uid and nothing else: numbers above 2^53, escapes and the line end stay", () => {
    expect(result({ uid: "new" })).toBe(was("e56c3308-1ea8-11e7-8cd7-f4e9d49f8ed0", "new"));
  });

  it("inserts members in the order of Go's maps, escaped as Go does", () => {
    const edits = {
      labels: { zone: '<&>\u2028"' },
      finalizers: ["keep"],
      ownerReferences: [OWNER],
    };

    expect(result(edits)).toBe(
      was(',"generation":2,"labels":{"app":"web"},"name":"tab","namespace":"shop",', "").replace(
        '00:00Z"',
        '00:00Z","finalizers":["keep"],"generation":2,"labels":{"app":"web","zone":"\\u003c\\u0026\\u003e\\u2028\\""},"name":"tab","namespace":"shop","ownerReferences":[{"apiVersion":"v1","blockOwnerDeletion":false,"kind":"ConfigMap","name":"root","uid":"u"}],',
      ),
    );
  });

  it("leaves no empty map or list behind", () => {
    expect(result({ annotations: { note: undefined } })).toBe(
      was('"annotations":{"note":"a \\u003c b"},', ""),
    );
  });

  it("drops the status only where the kind has one", () => {
    expect(result({ status: { kind: "drop" } })).toBe(was(',"status":{"phase":"Ready"}', ""));
    expect(edited(json(CRON_TAB), { status: { kind: "drop" } }, false).toString()).toBe(CRON_TAB);
  });

  it("takes over the status of another value, as it is spelled", () => {
    const value = json(was('{"phase":"Ready"}', '{ "n": 1.0 }'));

    expect(result({ status: { kind: "from", value } })).toBe(
      was('{"phase":"Ready"}', '{ "n": 1.0 }'),
    );
  });

  it("keeps white space that it does not replace", () => {
    const spaced =
      '{ "apiVersion" : "a/v1" , "kind":"B", "metadata" : { "uid" : "x" , "name" : "n" } }';

    expect(result({ uid: "y" }, spaced)).toBe(spaced.replace('"x"', '"y"'));
    expect(result({ generation: 3n }, spaced)).toBe(
      spaced.replace('{ "uid" : "x" ,', '{"generation":3, "uid" : "x" ,'),
    );
  });

  it("edits the last of several members with one key, which is the one that counts", () => {
    const twice = '{"apiVersion":"a/v1","kind":"B","metadata":{"uid":"1","uid":"2"}}';

    expect(result({ uid: "3" }, twice)).toBe(twice.replace('"2"', '"3"'));
  });

  it("removes all of several members with one key", () => {
    const twice =
      '{"apiVersion":"a/v1","kind":"B","metadata":{"deletionTimestamp":"1","deletionTimestamp":"2"}}';

    expect(result({ undelete: true }, twice)).toBe(
      '{"apiVersion":"a/v1","kind":"B","metadata":{}}',
    );
  });

  it("makes metadata when there is none, and a map where null stands", () => {
    const bare = '{"apiVersion":"a/v1","kind":"B"}';
    const nulls = '{"apiVersion":"a/v1","kind":"B","metadata":{"labels":null}}';

    expect(result({ uid: "u" }, bare)).toBe(bare.replace("}", ',"metadata":{"uid":"u"}}'));
    expect(result({ labels: { a: "b" } }, nulls)).toBe(nulls.replace("null", '{"a":"b"}'));
  });
});
