/**
 * core/v1 Endpoints under a mirror's name that are not ours: a predecessor's, or a stranger's. No watch shows them, for they
 * do not carry our link; so they are asked for when there is reason to.
 */
import { SLICE_MIRRORING_CONTROLLER } from "../domain/labels.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";
import type { SourceSlice } from "../domain/slice.js";
import type { DestinationView } from "../ports/destination-view.js";
import type { KubeObject } from "../ports/kube-api.js";
import type { SourceView } from "../ports/source-view.js";
import { endpointsMayBeTaken } from "./adoption.js";
import type { Applier, WritePermit } from "./applier.js";
import { sliceKeys } from "./fillings.js";
import { slicesLost, type SourceProof } from "./proof.js";

interface OthersEndpointsParts {
  readonly source: SourceView;
  readonly view: DestinationView;
  readonly applier: Applier;
  readonly proof: SourceProof;
}

interface Question {
  readonly target: ServiceKey;
  readonly permit: WritePermit;
  readonly sourceSlices: readonly SourceSlice[];
}

export class OthersEndpoints {
  /** Names under which a stranger's were found. */
  readonly #strange = new Set<ServiceKey>();

  constructor(private readonly parts: OthersEndpointsParts) {}

  /** Are these Endpoints, which had the name before ours, a stranger's? Else they are there to be taken. */
  isStranger(
    target: ServiceKey,
    object: KubeObject,
    sourceSlices: readonly SourceSlice[],
  ): boolean {
    const strange = !endpointsMayBeTaken(object, sourceSlices);
    if (strange) this.#strange.add(target);
    else this.#strange.delete(target);
    return strange;
  }

  /** Has the stranger of an earlier pass still got the name? Asked before a create, which would be refused each time. */
  async stillThere({ target, permit, sourceSlices }: Question): Promise<boolean> {
    if (!this.#strange.delete(target)) return false;
    const object = await this.#read(target, permit);
    return object !== undefined && this.isStranger(target, object, sourceSlices);
  }

  /**
   * Deletes what a predecessor left where we write no Endpoints, now that our slices stand: the cluster goes on mirroring them
   * for as long as they are there. Looked for when the mirror was adopted, and whenever there are slices of the mirroring
   * controller (the adoption may have been cut short).
   * @throws RetryableError FERRY-R002 when the source has slices that ours were not made of: they are listed again
   */
  async clearPredecessor(
    question: Question & { readonly service: ServiceKey; readonly isAdopted: boolean },
  ): Promise<"none" | "strange" | "cleared"> {
    const { target, permit, sourceSlices, service } = question;
    const { view, applier, proof, source } = this.parts;
    const isMirrored = view
      .foreignSlices(target)
      .some(({ managedBy }) => managedBy === SLICE_MIRRORING_CONTROLLER);
    if (!question.isAdopted && !isMirrored) return "none";
    const object = await this.#read(target, permit);
    if (object === undefined) return "none";
    if (this.isStranger(target, object, sourceSlices)) return "strange";
    const known = sliceKeys(sourceSlices);
    if (!(await proof.noOtherSlices(service, known, permit.signal)))
      throw slicesLost(source, service);
    const { uid = "", resourceVersion = "" } = object.metadata;
    const precise = { ref: splitKey(target), uid, resourceVersion, why: ["adopted"] };
    await applier.apply({ verb: "delete", resource: "endpoints", ...precise }, permit);
    return "cleared";
  }

  forget(target: ServiceKey): void {
    this.#strange.delete(target);
  }

  #read(target: ServiceKey, { signal }: WritePermit): Promise<KubeObject | undefined> {
    return this.parts.applier.read("endpoints", splitKey(target), signal);
  }
}
