/**
 * What of a Service's spec goes to another cluster: an allow-list, everything else, known or new, does not. Never addresses and
 * ports that an allocator of the source gave (clusterIPs, node ports, the health check's), nor addresses of its network
 * (externalIPs, loadBalancerIP). The selector stays: Pods may be in the destination too, and its own controller finds them.
 */
import { openEnvelope } from "../wire/envelope.js";
import { isListAt, isObjectAt, elementsAt, memberOf, objectAt } from "../wire/json-text.js";
import { goJson, rewriteObject } from "../wire/json-write.js";
import { bytesField, FieldReader, splice, type FieldChanges } from "../wire/protobuf.js";
import type { StoredObject } from "../wire/stored-object.js";
import type { Family } from "./destination-families.js";

/** ServiceSpec: field numbers. Source: k8s.io/api core/v1/generated.proto. */
const SPEC = {
  ports: 1,
  selector: 2,
  clusterIP: 3,
  type: 4,
  sessionAffinity: 7,
  loadBalancerSourceRanges: 9,
  externalName: 10,
  externalTrafficPolicy: 11,
  publishNotReadyAddresses: 13,
  sessionAffinityConfig: 14,
  ipFamilyPolicy: 17,
  clusterIPs: 18,
  ipFamilies: 19,
  allocateLoadBalancerNodePorts: 20,
  loadBalancerClass: 21,
  internalTrafficPolicy: 22,
  trafficDistribution: 23,
} as const;
/** ServicePort: field numbers. */
const PORT = { name: 1, protocol: 2, port: 3, targetPort: 4, appProtocol: 6 } as const;
/** Field number of the spec in a Service. */
const SERVICE_SPEC = 2;

const NONE = "None";
const EMPTY = Buffer.alloc(0);
const PORTS: ReadonlySet<string> = new Set(Object.keys(PORT));
const PORT_NUMBERS: ReadonlySet<number> = new Set(Object.values(PORT));

/** What decides how a Service can be written. */
export interface ServiceShape {
  /** ClusterIP where none is said. */
  readonly type: string;
  readonly headless: boolean;
  /** In order of preference, those that the destination has. */
  readonly families: readonly string[];
  readonly policy: string | undefined;
}

/** The source's spec for a destination with these families. @throws Malformed */
export function serviceShape(object: StoredObject, offered: readonly Family[]): ServiceShape {
  const facts = object.encoding === "protobuf" ? protobufFacts(object) : jsonFacts(object);
  const families = facts.families.filter((one) => offered.some((other) => other === one));
  const shape = { type: facts.type, headless: facts.clusterIP === NONE };
  if (families.length === facts.families.length) {
    return { ...shape, families, policy: facts.policy };
  }
  // Fewer than asked for: with one left there is nothing to prefer, with none the destination chooses.
  return { ...shape, families, policy: families.length === 0 ? undefined : "SingleStack" };
}

interface Facts {
  readonly type: string;
  readonly clusterIP: string;
  readonly families: readonly string[];
  readonly policy: string | undefined;
}

const DEFAULT_TYPE = "ClusterIP";

function protobufFacts({ bytes }: StoredObject): Facts {
  const texts = new Map<number, string>();
  const families: string[] = [];
  const spec = specReader(bytes);
  while (spec.next()) {
    if (spec.number === SPEC.ipFamilies) families.push(spec.text());
    const isText = [SPEC.type, SPEC.clusterIP, SPEC.ipFamilyPolicy].some((n) => n === spec.number);
    if (isText) texts.set(spec.number, spec.text());
  }
  return {
    type: texts.get(SPEC.type) || DEFAULT_TYPE,
    clusterIP: texts.get(SPEC.clusterIP) ?? "",
    families,
    policy: texts.get(SPEC.ipFamilyPolicy) || undefined,
  };
}

function specReader(bytes: Buffer): FieldReader {
  const { raw } = openEnvelope(bytes);
  const reader = new FieldReader(bytes, raw.start, raw.end);
  while (reader.next()) if (reader.number === SERVICE_SPEC) return reader.message();
  return new FieldReader(EMPTY, 0, 0);
}

function jsonFacts({ bytes }: StoredObject): Facts {
  const root: unknown = JSON.parse(bytes.toString("utf8"));
  const spec = isRecord(root) && isRecord(root["spec"]) ? root["spec"] : {};
  const { type, clusterIP, ipFamilies, ipFamilyPolicy } = spec;
  return {
    type: typeof type === "string" && type !== "" ? type : DEFAULT_TYPE,
    clusterIP: typeof clusterIP === "string" ? clusterIP : "",
    families: Array.isArray(ipFamilies) ? ipFamilies.map(String) : [],
    policy: typeof ipFamilyPolicy === "string" ? ipFamilyPolicy : undefined,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Kept only where the type makes it mean something: a Service that loses its externalIPs must not keep it. */
function keepsTrafficPolicy({ type }: ServiceShape): boolean {
  return type === "NodePort" || type === "LoadBalancer";
}

/** Changes of a protobuf Service's message: its spec. @throws Malformed */
export function protobufServiceSpec({ bytes }: StoredObject, shape: ServiceShape): FieldChanges {
  const { raw } = openEnvelope(bytes);
  const reader = new FieldReader(bytes, raw.start, raw.end);
  while (reader.next()) {
    if (reader.number !== SERVICE_SPEC) continue;
    const changes = specChanges(reader.message(), shape);
    const spec = splice(bytes, reader.span(), changes);
    return new Map([[SERVICE_SPEC, bytesField(SERVICE_SPEC, spec)]]);
  }
  return new Map();
}

function specChanges(spec: FieldReader, shape: ServiceShape): FieldChanges {
  const ports: Buffer[] = [];
  const changes = new Map<number, Buffer>();
  const kept = new Set<number>(Object.values(SPEC));
  if (!keepsTrafficPolicy(shape)) kept.delete(SPEC.externalTrafficPolicy);
  while (spec.next()) {
    if (spec.number === SPEC.ports) ports.push(portField(spec.content()));
    else if (!kept.has(spec.number)) changes.set(spec.number, EMPTY);
  }
  const none = (number: number): Buffer => (shape.headless ? bytesField(number, NONE) : EMPTY);
  const { policy, families } = shape;
  return changes
    .set(SPEC.ports, Buffer.concat(ports))
    .set(SPEC.clusterIP, none(SPEC.clusterIP))
    .set(SPEC.clusterIPs, none(SPEC.clusterIPs))
    .set(
      SPEC.ipFamilyPolicy,
      policy === undefined ? EMPTY : bytesField(SPEC.ipFamilyPolicy, policy),
    )
    .set(SPEC.ipFamilies, Buffer.concat(families.map((one) => bytesField(SPEC.ipFamilies, one))));
}

function portField(port: Buffer): Buffer {
  const reader = new FieldReader(port, 0, port.length);
  const changes = new Map<number, Buffer>();
  while (reader.next()) if (!PORT_NUMBERS.has(reader.number)) changes.set(reader.number, EMPTY);
  return bytesField(SPEC.ports, splice(port, { start: 0, end: port.length }, changes));
}

/** A JSON Service's spec as text; undefined when it has none. @throws Malformed */
export function jsonServiceSpec({ bytes }: StoredObject, shape: ServiceShape): Buffer | undefined {
  const member = memberOf(objectAt(bytes, 0), "spec");
  if (member === undefined || !isObjectAt(bytes, member.valueStart)) return undefined;
  const spec = objectAt(bytes, member.valueStart);
  const changes = new Map<string, Buffer | undefined>();
  for (const { key } of spec.members) if (!(key in SPEC)) changes.set(key, undefined);
  if (!keepsTrafficPolicy(shape)) changes.set("externalTrafficPolicy", undefined);
  const { headless, policy, families } = shape;
  changes
    .set("clusterIP", headless ? json(NONE) : undefined)
    .set("clusterIPs", headless ? json([NONE]) : undefined)
    .set("ipFamilyPolicy", policy === undefined ? undefined : json(policy))
    .set("ipFamilies", families.length === 0 ? undefined : json(families));
  const ports = memberOf(spec, "ports");
  if (ports !== undefined && isListAt(bytes, ports.valueStart)) {
    const texts = elementsAt(bytes, ports.valueStart).map(({ start }) => jsonPort(bytes, start));
    changes.set("ports", Buffer.from(`[${texts.join(",")}]`));
  }
  return rewriteObject(bytes, spec, changes);
}

function jsonPort(bytes: Buffer, start: number): string {
  const port = objectAt(bytes, start);
  const gone = port.members.filter(({ key }) => !PORTS.has(key));
  const changes = new Map(gone.map(({ key }) => [key, undefined]));
  return rewriteObject(bytes, port, changes).toString("utf8");
}

function json(value: unknown): Buffer {
  return Buffer.from(goJson(value));
}
