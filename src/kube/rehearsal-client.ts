/** Writes that an API server judges and does not store. */

import type { KubeObject, ObjectRef, Resource } from "../ports/kube-api.js";
import type { Rehearsal, Rehearsed } from "../ports/rehearsal.js";
import type { Call } from "./call.js";
import { collectionPath, objectPath, withQuery } from "./resource-path.js";
import type { Answer } from "./status.js";
import type { Transport } from "./transport.js";
import { writeResult } from "./write-result.js";

/** One cluster's answers to what-if. What its methods promise stands at Rehearsal. */
export class RehearsalClient implements Rehearsal {
  constructor(private readonly transport: Transport) {}

  create(resource: Resource, object: KubeObject, signal: AbortSignal): Promise<Rehearsed> {
    const { name, namespace } = object.metadata;
    objectPath(resource, { name, namespace });
    const path = collectionPath(resource, namespace);
    const sent = { verb: "create", method: "POST", contentType: "application/json" } as const;
    return this.#ask({ ...sent, path, body: object, signal }, { name, namespace });
  }

  patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Rehearsed> {
    const path = objectPath(resource, ref);
    const contentType = "application/merge-patch+json";
    const sent = { verb: "patch", method: "PATCH", contentType } as const;
    return this.#ask({ ...sent, path, body: patch, signal }, ref);
  }

  async #ask(
    sent: Pick<Call, "method" | "contentType" | "path" | "body" | "signal"> & {
      readonly verb: "create" | "patch";
    },
    { name, namespace }: ObjectRef,
  ): Promise<Rehearsed> {
    const target = withQuery(sent.path, { dryRun: "All" });
    const call: Call = { ...sent, target, accept: "application/json", priority: "live" };
    const answer = await this.transport.ask(call);
    const where = this.transport.where(call);
    return {
      result: writeResult(sent.verb, answer, { where, name, namespace }),
      warnings: warningsOf(answer),
    };
  }
}

/** `299 - "text"`, quotes and backslashes in the text escaped. Source: RFC 7234 section 5.5; apimachinery pkg/util/net, NewWarningHeader. */
function warningsOf({ headers }: Answer): readonly string[] {
  return [headers["warning"] ?? []].flat().flatMap((header) => {
    const text = Buffer.from(header, "latin1").toString("utf8");
    const [, quoted] = /^299 \S+ "(.*)"$/s.exec(text) ?? [];
    return quoted === undefined ? [] : [quoted.replaceAll(/\\(["\\])/g, "$1")];
  });
}
