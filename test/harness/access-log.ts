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
}

interface AuditEvent {
  readonly verb: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** An audit log as what was asked, whether or not it was granted: small, as its policy logs few users. */
export class AccessLog {
  constructor(private readonly path: string) {}

  all(): readonly Access[] {
    if (!existsSync(this.path)) return [];
    const text = readFileSync(this.path, "utf8");
    // The last line may be on its way.
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    return lines
      .filter((line) => line !== "")
      .map((line) => access(JSON.parse(line) as AuditEvent));
  }
}

function access({ verb, objectRef, responseStatus }: AuditEvent): Access {
  return {
    verb,
    group: objectRef?.apiGroup ?? "",
    resource: [objectRef?.resource, objectRef?.subresource].filter(Boolean).join("/"),
    namespace: objectRef?.namespace,
    name: objectRef?.name,
    status: responseStatus?.code ?? 0,
  };
}
