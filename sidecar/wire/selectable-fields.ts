/** Fields of built-in kinds that the API offers for field selectors, and where they are. */

export interface BuiltInField {
  /** Field numbers from the object's message down, from generated.proto of k8s.io/api v0.36.3. */
  readonly numbers: readonly number[];
  readonly type: "text" | "number" | "flag";
  /** What the field has when it is not there. */
  readonly zero: string;
  /** Path in JSON, where the selector's name is another. */
  readonly json?: string;
}

const text = (...numbers: readonly number[]): BuiltInField => ({ numbers, type: "text", zero: "" });
const count = (...numbers: readonly number[]): BuiltInField => ({
  numbers,
  type: "number",
  zero: "0",
});
const flag = (...numbers: readonly number[]): BuiltInField => ({
  numbers,
  type: "flag",
  zero: "false",
});

/** "group/Kind" -> path -> field; the core group is "". Their numbers are the same in all versions that still exist. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, BuiltInField>>>> = {
  "/Secret": { type: text(3) },
  "/Pod": {
    "spec.nodeName": text(2, 10),
    "spec.restartPolicy": text(2, 3),
    "spec.schedulerName": text(2, 19),
    "spec.serviceAccountName": text(2, 8),
    "spec.hostNetwork": flag(2, 11),
    "status.phase": text(3, 1),
    "status.podIP": text(3, 6),
    "status.nominatedNodeName": text(3, 11),
  },
  "/Event": {
    "involvedObject.kind": text(2, 1),
    "involvedObject.namespace": text(2, 2),
    "involvedObject.name": text(2, 3),
    "involvedObject.uid": text(2, 4),
    "involvedObject.apiVersion": text(2, 5),
    "involvedObject.resourceVersion": text(2, 6),
    "involvedObject.fieldPath": text(2, 7),
    reason: text(3),
    reportingComponent: text(14),
    source: { ...text(5, 1), json: "source.component" },
    type: text(9),
  },
  "/Namespace": { "status.phase": text(3, 1) },
  "/Node": { "spec.unschedulable": flag(2, 4) },
  "/ReplicationController": { "status.replicas": count(3, 1) },
  // `type` alone is no selector of the API; rules may have it as a short form, as for Secrets.
  "/Service": {
    type: { ...text(2, 4), json: "spec.type" },
    "spec.clusterIP": text(2, 3),
    "spec.type": text(2, 4),
  },
  "apps/ReplicaSet": { "status.replicas": count(3, 1) },
  "batch/Job": { "status.successful": { ...count(3, 5), json: "status.succeeded" } },
  "certificates.k8s.io/CertificateSigningRequest": { "spec.signerName": text(2, 7) },
};

const FIELDS_BY_KIND = new Map(
  Object.entries(FIELDS).map(([kind, fields]) => [kind, new Map(Object.entries(fields))]),
);
const NONE: ReadonlyMap<string, BuiltInField> = new Map();

/** Without metadata.name and metadata.namespace, which every kind has. */
export function builtInFields(group: string, kind: string): ReadonlyMap<string, BuiltInField> {
  return FIELDS_BY_KIND.get(`${group}/${kind}`) ?? NONE;
}
