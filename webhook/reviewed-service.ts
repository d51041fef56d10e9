/** One version of a Service in a review: typed field by field, then reduced to what the rules read. */
import type {
  IpFamily,
  Service,
  ServicePort,
  ServiceSpec,
  StringMap,
} from "../src/domain/objects.js";
import { parsePassingService } from "../src/domain/parse.js";
import type { Fields } from "./fields.js";

export interface ReviewedService {
  /**
   * For the rules. Of a new object the mutating entry sees neither uid nor creationTimestamp, and no name where one is
   * generated: they are "" then.
   */
  readonly service: Service;
  /** All annotations, those included that the rules do not read; undefined: it has none, so a patch has to begin there. */
  readonly annotations: StringMap | undefined;
}

interface ReviewContext {
  /** What the request says about the object. */
  readonly namespace: string;
  /** "": it does not say. */
  readonly name: string;
  readonly keepAnnotation: (key: string) => boolean;
}

export function reviewedService(object: Fields, where: ReviewContext): ReviewedService | undefined {
  const metadata = object.object("metadata");
  if (metadata === undefined) {
    object.miss("metadata");
    return undefined;
  }
  const namespace = metadata.text("namespace") ?? where.namespace;
  const name = metadata.text("name") ?? where.name;
  if (namespace !== where.namespace || (where.name !== "" && name !== where.name)) {
    metadata.fail(`${metadata.path} is of another object than the request`);
  }
  const annotations = metadata.map("annotations");
  const known = {
    metadata: {
      namespace,
      name,
      ...given({
        generateName: metadata.text("generateName"),
        uid: metadata.text("uid"),
        resourceVersion: metadata.text("resourceVersion"),
        creationTimestamp: metadata.text("creationTimestamp"),
        deletionTimestamp: metadata.text("deletionTimestamp"),
        labels: metadata.map("labels"),
        annotations,
      }),
    },
    spec: serviceSpec(object.object("spec")),
  };
  return { service: parsePassingService(known, where.keepAnnotation), annotations };
}

function serviceSpec(spec: Fields | undefined): ServiceSpec {
  if (spec === undefined) return {};
  const clientIP = spec.object("sessionAffinityConfig")?.object("clientIP");
  return given({
    type: spec.text("type"),
    clusterIP: spec.text("clusterIP"),
    externalName: spec.text("externalName"),
    ports: spec.objects("ports")?.map(servicePort),
    selector: spec.map("selector"),
    sessionAffinity: spec.text("sessionAffinity"),
    sessionAffinityConfig: clientIP && {
      clientIP: given({ timeoutSeconds: clientIP.integer("timeoutSeconds") }),
    },
    publishNotReadyAddresses: spec.flag("publishNotReadyAddresses"),
    ipFamilies: spec.texts("ipFamilies")?.filter(isIpFamily),
    ipFamilyPolicy: spec.text("ipFamilyPolicy"),
  });
}

function servicePort(port: Fields): ServicePort {
  const number = port.integer("port");
  if (number === undefined) port.miss("port");
  return {
    port: number ?? 0,
    ...given({
      name: port.text("name"),
      protocol: port.text("protocol"),
      appProtocol: port.text("appProtocol"),
      targetPort: port.integerOrText("targetPort"),
    }),
  };
}

/** What else a user writes there is for the API server to refuse, after us. */
function isIpFamily(text: string): text is IpFamily {
  return text === "IPv4" || text === "IPv6";
}

/**
 * An absent field and one that is undefined are the same here: parsePassingService copies what is there and nothing else, so no copy
 * is made for the type's sake.
 */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return fields as { [K in keyof T]?: Exclude<T[K], undefined> };
}
