import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** One write as the API server itself recorded it. */
export interface AuditedWrite {
  readonly verb: string;
  readonly resource: string;
  readonly name: string;
  readonly status: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** What svc-ferry wrote to a cluster, as its API server tells it. */
export class AuditLog {
  constructor(private readonly path: string) {}

  /** Where the log ends now. */
  mark(): number {
    return this.#with((file) => fstatSync(file).size);
  }

  /** svc-ferry's writes since the mark; its Lease apart, which it renews whatever happens. */
  writesSince(mark: number): readonly AuditedWrite[] {
    const text = this.#with((file) => {
      const buffer = Buffer.alloc(fstatSync(file).size - mark);
      readSync(file, buffer, 0, buffer.length, mark);
      return buffer.toString("utf8");
    });
    return text
      .split("\n")
      .filter((line) => line.includes('"userAgent":"svc-ferry'))
      .map((line) => JSON.parse(line) as AuditEvent)
      .map(({ verb, objectRef, responseStatus }) => ({
        verb,
        resource: objectRef?.resource ?? "",
        name: objectRef?.name ?? "",
        status: responseStatus?.code ?? 0,
      }))
      .filter(({ resource }) => resource !== "leases");
  }

  #with<T>(read: (file: number) => T): T {
    const file = openSync(this.path, "r");
    try {
      return read(file);
    } finally {
      closeSync(file);
    }
  }
}
