/** What the mirror's benchmark copies: ConfigMaps of 1.6 kB as an API server stores them, in one Namespace. */

const NAMESPACE = "bench";
export const CONFIG_MAPS = `/registry/configmaps/${NAMESPACE}/`;

/** The rules that name all of it, and nothing else. */
export const RULES = `filters:
  sequential:
    - sequence: 1
      resources: [{ group: "", version: v1, kind: Namespace }]
      labelSelectors: [{ matchLabels: { mirrored: "yes" } }]
  secondary:
    - resources: [{ group: "", version: v1, kind: ConfigMap }]
      namespace: ${NAMESPACE}
`;

export interface Stored {
  readonly key: string;
  readonly value: Buffer;
}

/** Of a key that a benchmark's run writes: `index` 7 → "…/cm-000007". */
function configMapKey(index: number): string {
  return `${CONFIG_MAPS}cm-${String(index).padStart(6, "0")}`;
}

/** `revision` goes into the data, so that two writes of one ConfigMap differ. */
export function configMap(index: number, revision = 0): Stored {
  const key = configMapKey(index);
  const name = key.slice(CONFIG_MAPS.length);
  const data = [
    entry("revision", String(revision)),
    entry("payload", `${name}-`.padEnd(PAYLOAD_BYTES, "x")),
  ];
  const raw = [field(1, metadata(name, NAMESPACE, index)), ...data.map((each) => field(2, each))];
  return { key, value: envelope("ConfigMap", Buffer.concat(raw)) };
}

export function namespace(): Stored {
  const raw = Buffer.concat([
    field(1, metadata(NAMESPACE, "", 0)),
    field(2, field(1, text("kubernetes"))),
    field(3, field(1, text("Active"))),
  ]);
  return { key: `/registry/namespaces/${NAMESPACE}`, value: envelope("Namespace", raw) };
}

/** With metadata, managedFields and envelope a value has 1.6 kB. */
const PAYLOAD_BYTES = 1_150;

/** ObjectMeta: name 1, namespace 3, uid 5, creationTimestamp 8, labels 11, managedFields 17. */
function metadata(name: string, ofNamespace: string, index: number): Buffer {
  const uid = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  const managed = Buffer.concat([
    field(1, text("kubectl-create")),
    field(2, text("Update")),
    field(3, text("v1")),
    field(6, text("FieldsV1")),
    field(7, field(1, text('{"f:data":{".":{},"f:payload":{},"f:revision":{}}}'))),
  ]);
  return Buffer.concat([
    field(1, text(name)),
    field(2, text("")),
    field(3, text(ofNamespace)),
    field(5, text(uid)),
    field(8, Buffer.from([0x08, ...varint(1_700_000_000)])),
    field(11, entry("app", "bench")),
    field(11, entry("mirrored", "yes")),
    field(17, managed),
  ]);
}

/** "k8s\0", then runtime.Unknown: typeMeta 1, raw 2, contentEncoding 3 and contentType 4 empty, as Go writes them. */
function envelope(kind: string, raw: Buffer): Buffer {
  const typeMeta = Buffer.concat([field(1, text("v1")), field(2, text(kind))]);
  const unknown = [field(1, typeMeta), field(2, raw), field(3, text("")), field(4, text(""))];
  return Buffer.concat([Buffer.from("k8s\0"), ...unknown]);
}

function entry(key: string, value: string): Buffer {
  return Buffer.concat([field(1, text(key)), field(2, text(value))]);
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([...varint(number * 8 + 2), ...varint(content.length)]),
    content,
  ]);
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}
