/** The second half of a pass: slices and Endpoints of a mirror that is there. */
import type { Reason } from "../domain/codes.js";
import type { Installation } from "../domain/installation.js";
import type { Service } from "../domain/objects.js";
import { planEndpoints, type EndpointsPlan } from "../domain/plan-endpoints.js";
import type { ServicePlan } from "../domain/plan.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";
import type { Digest, SourceSlice } from "../domain/slice.js";
import type { Write } from "../domain/writes.js";
import type { DestinationView } from "../ports/destination-view.js";
import type { SourceView } from "../ports/source-view.js";
import { candidateKey } from "./adoption.js";
import type { Applied, Applier, WritePermit } from "./applier.js";
import { leftovers } from "./leftovers.js";
import { LostSlices } from "./lost-slices.js";
import { OthersEndpoints } from "./others-endpoints.js";
import type { SourceProof } from "./proof.js";
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
  readonly #losses: LostSlices;
  readonly #others: OthersEndpoints;

  constructor(
    private readonly settings: EndpointsSettings,
    private readonly parts: EndpointsParts,
  ) {
    this.#losses = new LostSlices(settings.mode, parts);
    this.#others = new OthersEndpoints(parts);
  }

  /**
   * Slices first, Endpoints after them, deletions last: there is no moment without addresses. Before anything takes addresses
   * away it is proven that their source slices are gone (LostSlices). Where Endpoints only get other addresses and no slice is
   * lost, nothing waits for anything, and both go together.
   */
  async run(pass: Whole["pass"], wanted: Wanted, mirror: Service): Promise<EndpointsResult> {
    const { target, permit } = pass;
    const service = candidateKey(wanted.winner);
    const sourceSlices = this.parts.source.slices(service);
    if (sourceSlices === undefined) return NOT_KNOWN;
    const plan = this.#plan(target, wanted, mirror, sourceSlices);
    const all = { pass, wanted, mirror, sourceSlices };
    const loss = this.#losses.of(plan, target, { service, slices: sourceSlices });
    const isPlain = loss.lost?.length === 0 && hasAddressesOnly(plan);
    const [first, together] = await Promise.all([
      this.#applyWanted(all, plan.slices),
      isPlain ? this.#applyEndpoints(all, plan.endpoints) : undefined,
    ]);
    let writes = first.stored;
    let refused = first.refused;
    await this.#losses.prove(loss, permit.signal);
    const endpoints = together ?? (await this.#applyEndpoints(all, plan.endpoints));
    refused ??= endpoints.refused;
    writes += endpoints.writes;
    let strangeEndpoints = endpoints.strange;
    if (this.settings.mode === "slices" && refused === undefined) {
      const former = await this.#others.clearPredecessor({
        target,
        permit,
        sourceSlices,
        service,
        isAdopted: wanted.change === "adopt",
      });
      if (former === "cleared") writes += 1;
      strangeEndpoints = former === "strange";
    }
    if (refused === undefined && !strangeEndpoints) this.#losses.remember(target, sourceSlices);
    const deletions = plan.deletions.map(({ write }) => write);
    writes += (await this.#applySlices(target, deletions, permit)).stored;
    return { writes, plan, strangeEndpoints, refused };
  }

  /** Everything that a removed mirror leaves; its owner references would do the same, later. */
  async removeAll(target: ServiceKey, permit: WritePermit): Promise<number> {
    const { view, applier } = this.parts;
    const writes = leftovers(view, target);
    await Promise.all(writes.map((write) => applier.apply(write, permit)));
    return writes.length;
  }

  /** As removeAll, for a name without a mirror of ours: the destination itself must say that there is none. */
  async removeLeftovers(target: ServiceKey, permit: WritePermit): Promise<number> {
    const { view, applier } = this.parts;
    this.#losses.forget(target);
    this.#others.forget(target);
    if (leftovers(view, target).length === 0) return 0;
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
}

/** Endpoints that are ours and stay so. */
function hasAddressesOnly({ endpoints }: EndpointsPlan): boolean {
  return endpoints.every((write) => write.verb === "patch" && !("metadata" in write.body));
}

/** The slices are not listed yet; a pass of its own follows when they are. */
const NOT_KNOWN: EndpointsResult = {
  writes: 0,
  plan: undefined,
  strangeEndpoints: false,
  refused: undefined,
};
