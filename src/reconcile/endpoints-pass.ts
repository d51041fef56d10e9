/** The second half of a pass: slices and Endpoints of a mirror that is there. */
import type { Reason } from "../domain/codes.js";
import type { Installation } from "../domain/installation.js";
import type { Service } from "../domain/objects.js";
import { planEndpoints, type EndpointsPlan } from "../domain/plan-endpoints.js";
import type { ServicePlan } from "../domain/plan.js";
import { serviceKey, splitKey, type ServiceKey } from "../domain/service-key.js";
import type { Digest, SourceSlice } from "../domain/slice.js";
import type { Write } from "../domain/writes.js";
import type { DestinationView } from "../ports/destination-view.js";
import type { SourceView } from "../ports/source-view.js";
import { candidateKey } from "./adoption.js";
import type { Applied, Applier, WritePermit } from "./applier.js";
import { Fillings, sliceKeys } from "./fillings.js";
import { OthersEndpoints } from "./others-endpoints.js";
import { slicesLost, type SourceProof } from "./proof.js";
import { whyNotStored } from "./refused-write.js";

export interface EndpointsResult {
  readonly writes: number;
  /** undefined: not known yet; a pass of its own follows. */
  readonly plan: EndpointsPlan | undefined;
  /** core/v1 Endpoints under our mirror's name that belong to somebody else. */
  readonly strangeEndpoints: boolean;
  /** What the server said when it would not take a slice or the Endpoints; they are tried again. */
  readonly refused: Reason | undefined;
}

export interface EndpointsSettings {
  readonly installation: Installation;
  readonly mode: "slices" | "endpoints" | "both";
  readonly digest: Digest;
}

export interface EndpointsParts {
  readonly source: SourceView;
  readonly view: DestinationView;
  readonly applier: Applier;
  readonly proof: SourceProof;
}

type Wanted = Extract<ServicePlan, { kind: "wanted" }>;

/** All that a pass is about. */
interface Whole {
  readonly pass: { readonly target: ServiceKey; readonly permit: WritePermit };
  readonly wanted: Wanted;
  readonly mirror: Service;
  readonly sourceSlices: readonly SourceSlice[];
}

export class EndpointsPass {
  /** Kept only where there are no mirror slices. */
  readonly #fillings = new Fillings();
  readonly #others: OthersEndpoints;

  constructor(
    private readonly settings: EndpointsSettings,
    private readonly parts: EndpointsParts,
  ) {
    this.#others = new OthersEndpoints(parts);
  }

  /**
   * Slices first, Endpoints after them, deletions last: there is no moment without addresses. Before anything takes addresses
   * away it is proven that their source slices are gone: Endpoints would be emptied by a lying list like slices. Where Endpoints
   * only get other addresses and no slice is lost, nothing waits for anything, and both go together.
   */
  async run(pass: Whole["pass"], wanted: Wanted, mirror: Service): Promise<EndpointsResult> {
    const { target, permit } = pass;
    const sourceSlices = this.parts.source.slices(candidateKey(wanted.winner));
    if (sourceSlices === undefined) return NOT_KNOWN;
    const plan = this.#plan(target, wanted, mirror, sourceSlices);
    const all = { pass, wanted, mirror, sourceSlices };
    const known = sliceKeys(sourceSlices);
    const lost = this.#lost(plan, target, known);
    const isPlain = lost?.length === 0 && hasAddressesOnly(plan);
    const [first, together] = await Promise.all([
      this.#applyWanted(all, plan.slices),
      isPlain ? this.#applyEndpoints(all, plan.endpoints) : undefined,
    ]);
    let writes = first.stored;
    let refused = first.refused;
    await this.#proveGone({ service: candidateKey(wanted.winner), known, lost }, permit.signal);
    const endpoints = together ?? (await this.#applyEndpoints(all, plan.endpoints));
    refused ??= endpoints.refused;
    writes += endpoints.writes;
    let strangeEndpoints = endpoints.strange;
    if (this.settings.mode === "slices" && refused === undefined) {
      const former = await this.#others.clearPredecessor({
        target,
        permit,
        sourceSlices,
        service: candidateKey(wanted.winner),
        isAdopted: wanted.change === "adopt",
      });
      if (former === "cleared") writes += 1;
      strangeEndpoints = former === "strange";
    }
    if (refused === undefined && !strangeEndpoints) this.#remember(target, sourceSlices);
    const deletions = plan.deletions.map(({ write }) => write);
    writes += (await this.#applySlices(target, deletions, permit)).stored;
    return { writes, plan, strangeEndpoints, refused };
  }

  /** Everything that a removed mirror leaves; its owner references would do the same, later. */
  async removeAll(target: ServiceKey, permit: WritePermit): Promise<number> {
    const { view, applier } = this.parts;
    const endpoints = view.endpoints(target);
    const writes = [
      ...view.slices(target).map((slice) => deletion("endpointslices", slice)),
      ...(endpoints === undefined ? [] : [deletion("endpoints", endpoints)]),
    ];
    await Promise.all(writes.map((write) => applier.apply(write, permit)));
    return writes.length;
  }

  /** As removeAll, for a name without a mirror of ours: the destination itself must say that there is none. */
  async removeLeftovers(target: ServiceKey, permit: WritePermit): Promise<number> {
    const { view, applier } = this.parts;
    this.#fillings.forget(target);
    this.#others.forget(target);
    if (view.slices(target).length === 0 && view.endpoints(target) === undefined) return 0;
    const service = await applier.read("services", splitKey(target), permit.signal);
    if (service !== undefined) {
      view.wrote("services", service);
      // Also when a list that lied still hides it.
      if (view.existing(target).kind !== "foreign") return 0;
    }
    return this.removeAll(target, permit);
  }

  /** Once more where somebody took our labels off a slice: the applier has read it by now, and the new plan gives them back. */
  async #applyWanted(
    { pass, wanted, mirror, sourceSlices }: Whole,
    slices: readonly Write[],
  ): Promise<{ readonly stored: number; readonly refused: Reason | undefined }> {
    const { target, permit } = pass;
    const first = await this.#applySlices(target, slices, permit);
    if (!first.occupied) return first;
    const again = this.#plan(target, wanted, mirror, sourceSlices).slices;
    const second = await this.#applySlices(target, again, permit);
    return { stored: first.stored + second.stored, refused: first.refused ?? second.refused };
  }

  /** A name that is taken is read by the applier and seen by the next plan. */
  async #applySlices(
    target: ServiceKey,
    slices: readonly Write[],
    permit: WritePermit,
  ): Promise<{ stored: number; occupied: boolean; refused: Reason | undefined }> {
    const applied = await Promise.all(
      slices.map((write) => this.parts.applier.apply(write, permit)),
    );
    return {
      stored: applied.filter(({ kind }) => kind === "done").length,
      occupied: applied.some(({ kind }) => kind === "occupied"),
      refused: applied.map((one) => whyNotStored(one, target)).find((why) => why !== undefined),
    };
  }

  #plan(
    target: ServiceKey,
    wanted: Wanted,
    mirror: Service,
    sourceSlices: readonly SourceSlice[],
  ): EndpointsPlan {
    const { winner, wanted: spec } = wanted;
    const { installation, mode, digest } = this.settings;
    return planEndpoints(
      {
        target,
        source: candidateKey(winner),
        mirrorUid: mirror.uid,
        headless: spec.spec.headless,
        external: spec.spec.type === "ExternalName",
        family: spec.spec.family,
        publishNotReadyAddresses: spec.spec.publishNotReadyAddresses,
        sourceSlices,
        slices: this.parts.view.slices(target),
        foreignSlices: this.parts.view.foreignSlices(target),
        endpoints: this.parts.view.endpoints(target),
      },
      {
        link: installation.link,
        mark: winner.route.mark,
        marks: installation.routes.map(({ mark }) => mark),
        cidrs: installation.cidrs.get(winner.route.name) ?? [],
        digest,
        mode,
      },
    );
  }

  /** The Endpoints that were there are known now (the applier read them): plan once more, which patches them. */
  async #takeEndpoints(
    target: ServiceKey,
    wanted: Wanted,
    mirror: Service,
    permit: WritePermit,
  ): Promise<number> {
    const sourceSlices = this.parts.source.slices(candidateKey(wanted.winner)) ?? [];
    const again = this.#plan(target, wanted, mirror, sourceSlices).endpoints;
    const applied: Applied[] = [];
    for (const write of again) applied.push(await this.parts.applier.apply(write, permit));
    return applied.length;
  }

  async #applyEndpoints(
    { pass: { target, permit }, wanted, mirror, sourceSlices }: Whole,
    planned: readonly Write[],
  ): Promise<{ writes: number; strange: boolean; refused: Reason | undefined }> {
    const result = { writes: 0, strange: false, refused: undefined as Reason | undefined };
    for (const write of planned) {
      const isCreate = write.verb === "create";
      result.strange =
        isCreate && (await this.#others.stillThere({ target, permit, sourceSlices }));
      if (result.strange) continue;
      const applied = await this.parts.applier.apply(write, permit);
      if (applied.kind === "done") result.writes += 1;
      result.refused ??= whyNotStored(applied, target);
      if (applied.kind !== "occupied") continue;
      result.strange = this.#others.isStranger(target, applied.object, sourceSlices);
      if (result.strange) this.parts.view.forget("endpoints", target);
      else result.writes += await this.#takeEndpoints(target, wanted, mirror, permit);
    }
    return result;
  }

  #remember(target: ServiceKey, sourceSlices: readonly SourceSlice[]): void {
    const endpoints = this.parts.view.endpoints(target);
    if (this.settings.mode !== "endpoints" || endpoints === undefined) return;
    this.#fillings.remember(endpoints, sourceSlices);
  }

  /** @throws RetryableError FERRY-R002 when the source still has a slice that the cache merely lost: it is listed again */
  async #proveGone(
    {
      service,
      known,
      lost,
    }: {
      readonly service: ServiceKey;
      readonly known: ReadonlySet<ServiceKey>;
      readonly lost: readonly ServiceKey[] | undefined;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { proof, source } = this.parts;
    const gone = await Promise.all(
      lost === undefined
        ? [proof.noOtherSlices(service, known, signal)]
        : lost.map((slice) => proof.sliceGone(slice, service, signal)),
    );
    if (!gone.every(Boolean)) throw slicesLost(source, service);
  }

  /** Source slices whose addresses go, as far as the cache knows; undefined: it cannot tell which ones filled the Endpoints. */
  #lost(
    { deletions, endpoints }: EndpointsPlan,
    target: ServiceKey,
    known: ReadonlySet<ServiceKey>,
  ): readonly ServiceKey[] | undefined {
    const isRefilled = endpoints.some((write) => write.verb === "patch" && "subsets" in write.body);
    // Endpoints that would be empty: mirror slices may have been deleted by hand, and new slices be on their way.
    if (isRefilled && known.size === 0) return undefined;
    if (isRefilled && this.settings.mode === "endpoints") {
      const there = this.parts.view.endpoints(target);
      const filling = there && this.#fillings.of(there);
      return filling && [...filling].filter((slice) => !known.has(slice));
    }
    return deletions.flatMap(({ source }) => (source === undefined ? [] : [source as ServiceKey]));
  }
}

/** Endpoints that are ours and stay so. */
function hasAddressesOnly({ endpoints }: EndpointsPlan): boolean {
  return endpoints.every((write) => write.verb === "patch" && !("metadata" in write.body));
}

function deletion(
  resource: "endpointslices" | "endpoints",
  object: { namespace: string; name: string; uid: string; resourceVersion: string },
): Write {
  const { namespace, name, uid, resourceVersion } = object;
  return {
    verb: "delete",
    resource,
    ref: splitKey(serviceKey(namespace, name)),
    uid,
    resourceVersion,
    why: ["its mirror is gone"],
  };
}

/** The slices are not listed yet; a pass of its own follows when they are. */
const NOT_KNOWN: EndpointsResult = {
  writes: 0,
  plan: undefined,
  strangeEndpoints: false,
  refused: undefined,
};
