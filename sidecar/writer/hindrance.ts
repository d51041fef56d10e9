/** What stands in the way of writing an object, before anything of it is looked at in the destination. */
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

  async of(wanted: Wanted): Promise<Hindered> {
    const { resource } = wanted.at;
    const { destination, policy } = this.parts;
    if (wanted.isSecret && !policy.allowPlaintext && !destination.encrypts(resource)) {
      return hindered("dest-plaintext");
    }
    const closed = await this.proof.whyNot(resource);
    if (closed !== undefined) return hindered("dest-undecryptable", closed);
    if (resource.custom) {
      const served = await this.#served(wanted);
      if (served !== undefined) return hindered(served, wanted.object.apiVersion);
    }
    return this.#namespace(wanted.at.namespace);
  }

  /** A value in a version that is not served makes every list of its resource fail. */
  async #served({ at, object }: Wanted): Promise<"no-crd" | "version-not-served" | undefined> {
    const crd = await this.parts.destination.crd(at.resource);
    if (crd === undefined) return "no-crd";
    const version = object.apiVersion.slice(object.apiVersion.indexOf("/") + 1);
    const isServed = crd.versions.some(({ name, served }) => served && name === version);
    return isServed ? undefined : "version-not-served";
  }

  async #namespace(name: string | undefined): Promise<Hindered> {
    if (name === undefined) return { kind: "free", namespace: undefined };
    const { destination } = this.parts;
    const state = destination.knownNamespace(name) ?? (await destination.namespace(name));
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
