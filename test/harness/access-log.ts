import { existsSync, readFileSync } from "node:fs";

/** One request that an API server wrote down. */
export interface Access {
  readonly verb: string;
  /** "" is core/v1. */
  readonly group: string;
  /** With "/" before a subresource, as in roles. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Who asked: "system:serviceaccount:k8s-sync:svc-ferry". */
  readonly user: string;
  /** false: it was the authorizer who refused. Admission refuses with 403 as well. */
  readonly authorized: boolean;
}

interface AuditEvent {
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** An audit log as what was asked, whether or not it was granted. */
export class AccessLog {
  /** @param isOurs of a user's name; undefined: everybody that the log's policy lets in */
  constructor(
    private readonly path: string,
    private readonly isOurs: (user: string) => boolean = () => true,
  ) {}

  all(): readonly Access[] {
    if (!existsSync(this.path)) return [];
    const text = readFileSync(this.path, "utf8");
    // The last line may be on its way.
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    return lines
      .filter((line) => line !== "")
      .map((line) => access(JSON.parse(line) as AuditEvent))
      .filter(({ user }) => this.isOurs(user));
  }
}

function access(event: AuditEvent): Access {
  const { verb, user, annotations, objectRef, responseStatus } = event;
  return {
    verb,
    group: objectRef?.apiGroup ?? "",
    resource: [objectRef?.resource, objectRef?.subresource].filter(Boolean).join("/"),
    namespace: objectRef?.namespace,
    name: objectRef?.name,
    status: responseStatus?.code ?? 0,
    user: user?.username ?? "",
    authorized: annotations?.["authorization.k8s.io/decision"] !== "forbid",
  };
}

/** A right as roles grant it: "list /services of the cluster" is another one than that in namespaces. */
export function spelled({
  verb,
  group,
  resource,
  namespace,
}: Pick<Access, "verb" | "group" | "resource" | "namespace">): string {
  // Of a namespace itself audit logs say that it lies in itself.
  const isOfCluster = namespace === undefined || `${group}/${resource}` === "/namespaces";
  return `${verb} ${group}/${resource}${isOfCluster ? " of the cluster" : ""}`;
}
