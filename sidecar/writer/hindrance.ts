/** What stands in the way of writing an object, before anything of it is looked at in the destination. */
import type { NamespaceState } from "../view/destination-view.js";
import type { Wanted } from "../view/source-view.js";
import type { Owed } from "./owing.js";
import type { WriterParts } from "./parts.js";
import type { SealProof } from "./seal-proof.js";
import type { Guard } from "./seen.js";
import { NAMESPACES } from "../view/source-view.js";

export type Hindered =
  | { readonly kind: "hindered"; readonly owed: Owed }
  /** `namespace`: its key as last read, compared by the write; undefined for cluster-scoped objects. */
  | { readonly kind: "free"; readonly namespace: Guard | undefined };

export class Hindrance {
  constructor(
    private readonly parts: WriterParts,
    private readonly proof: SealProof,
  ) {}

  /** Mostly known, and told at once. */
  of(wanted: Wanted): Hindered | Promise<Hindered> {
    const { resource, namespace } = wanted.at;
    const { destination, policy } = this.parts;
    if (wanted.isSecret && !policy.allowPlaintext && !destination.encrypts(resource)) {
      return hindered("dest-plaintext");
    }
    const closed = this.proof.whyNot(resource);
    const state = namespace === undefined ? undefined : destination.knownNamespace(namespace);
    const isKnown = namespace === undefined || state !== undefined;
    if (closed !== undefined || resource.custom || !isKnown) return this.#asked(wanted, closed);
    return this.#within(namespace, state);
  }

  async #asked(
    wanted: Wanted,
    whyNot: string | undefined | Promise<string | undefined>,
  ): Promise<Hindered> {
    const { resource, namespace } = wanted.at;
    const closed = await whyNot;
    if (closed !== undefined) return hindered("dest-undecryptable", closed);
    if (resource.custom) {
      const served = await this.#served(wanted);
      if (served !== undefined) return hindered(served, wanted.object.apiVersion);
    }
    const state = namespace === undefined ? undefined : await this.#namespace(namespace);
    return this.#within(namespace, state);
  }

  /** A value in a version that is not served makes every list of its resource fail. */
  async #served({ at, object }: Wanted): Promise<"no-crd" | "version-not-served" | undefined> {
    const crd = await this.parts.destination.crd(at.resource);
    if (crd === undefined) return "no-crd";
    const version = object.apiVersion.slice(object.apiVersion.indexOf("/") + 1);
    const isServed = crd.versions.some(({ name, served }) => served && name === version);
    return isServed ? undefined : "version-not-served";
  }

  async #namespace(name: string): Promise<NamespaceState> {
    const { destination } = this.parts;
    return destination.knownNamespace(name) ?? destination.namespace(name);
  }

  #within(name: string | undefined, state: NamespaceState | undefined): Hindered {
    if (name === undefined || state === undefined) return { kind: "free", namespace: undefined };
    const { destination } = this.parts;
    switch (state.kind) {
      case "missing":
        return hindered("no-namespace", name);
      case "terminating":
        return hindered("namespace-terminating", name);
      case "active":
        return {
          kind: "free",
          namespace: { key: destination.prefix.key(NAMESPACES + name), revision: state.revision },
        };
    }
  }
}

function hindered(code: Owed["code"], detail?: string): Hindered {
  return { kind: "hindered", owed: { code, detail } };
}
