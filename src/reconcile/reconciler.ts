import { authored } from "../domain/authored.js";
import type { Installation } from "../domain/installation.js";
import type { Service } from "../domain/objects.js";
import { whyForeign, type Ownership } from "../domain/ownership.js";
import { parsePassingService } from "../domain/parse.js";
import {
  planService,
  type PlanContext,
  sourceOf,
  standing,
  whyLost,
  type Candidate,
  type ServicePlan,
  type TargetView,
} from "../domain/plan.js";
import type { Author } from "../domain/stamp.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";
import type { Write } from "../domain/writes.js";
import type { Authors } from "../ports/authors.js";
import type { DestinationView } from "../ports/destination-view.js";
import type { SourceView } from "../ports/source-view.js";
import { adoption, candidateKey } from "./adoption.js";
import type { Applied, Applier } from "./applier.js";
import type { EndpointsPass } from "./endpoints-pass.js";
import { isNamespaceTrouble } from "./namespace-trouble.js";
import type { Outcome, Pass, PassResult } from "./pass.js";
import { whyRefused } from "./refused-write.js";
import type { SourceProof, Verdict } from "./proof.js";
import type { Reporter } from "./reporter.js";

/** What a reconciler knows about its destination. */
export interface ReconcilerSettings {
  readonly destination: string;
  readonly paused: boolean;
  readonly adopt: "on" | "off" | "report";
  readonly installation: Installation;
}

export interface ReconcilerParts {
  readonly source: SourceView;
  readonly view: DestinationView;
  readonly applier: Applier;
  readonly endpoints: EndpointsPass;
  readonly proof: SourceProof;
  readonly authors: Authors;
  readonly reporter: Reporter;
}

type Leaving = NonNullable<Extract<ServicePlan, { kind: "refused" }>["leaving"]>;

/**
 * Makes one name in one destination what the source wants it to be.
 *
 * Level-triggered: only the key arrives here, state is read anew, so a lost or
 * doubled event changes nothing. The worker pool never runs two passes for the
 * same key at once.
 */
export class Reconciler {
  constructor(
    private readonly settings: ReconcilerSettings,
    private readonly parts: ReconcilerParts,
  ) {}

  /**
   * @throws TerminalError   never retried (the request itself is unusable)
   * @throws RetryableError  retried with the key's backoff
   */
  async reconcile(pass: Pass): Promise<PassResult> {
    const view = this.#view(pass.target);
    const plan = await this.#plan(view, pass);
    if (plan === undefined) return settled("held");
    this.#reportLosers(view, plan);
    switch (plan.kind) {
      case "nothing":
        return this.#nothing(pass);
      case "hold":
        this.parts.reporter.held(pass.target, plan.winner, plan.reason);
        return settled("held");
      case "refused":
        this.parts.reporter.refused(pass.target, plan.winner, plan.reason);
        return plan.leaving === undefined
          ? this.#refused(pass, view)
          : this.#keepRight(pass, plan.winner, plan.leaving);
      case "unwanted":
        return this.#remove(pass, plan);
      case "wanted":
        return (await this.#mayTakeOver(pass, plan, view))
          ? this.#make(pass, plan)
          : settled("held");
    }
  }

  #view(target: ServiceKey): TargetView {
    const { destination, paused } = this.settings;
    const existing = this.parts.view.existing(target);
    return {
      target,
      candidates: standing(
        this.parts.source.candidates(destination, target),
        existing.kind === "ours" ? sourceOf(existing.service) : undefined,
      ),
      destinationPaused: paused,
      existing:
        existing.kind === "foreign"
          ? { kind: "foreign", reason: whyForeign(target, existing.foreign) }
          : existing,
    };
  }

  /**
   * The plan, where need be after the question whether the foreign Service is a predecessor's. undefined: that cannot be
   * told before the source's slices are known, whose arrival brings a pass of its own; until then it is no conflict.
   */
  async #plan(view: TargetView, pass: Pass): Promise<ServicePlan | undefined> {
    const context = this.#context();
    const plan = planService(view, context);
    const existing = this.parts.view.existing(pass.target);
    const mayAdopt =
      plan.kind === "refused" && existing.kind === "foreign" && this.settings.adopt !== "off";
    if (!mayAdopt || !existing.foreign.bare) return plan;
    const sourceSlices = this.parts.source.slices(candidateKey(plan.winner));
    if (sourceSlices === undefined) return undefined;
    const adoptable = await adoption(
      {
        target: pass.target,
        candidate: plan.winner,
        foreign: existing.foreign,
        sourceSlices,
        signal: pass.permit.signal,
      },
      this.parts.applier,
    );
    if (adoptable === undefined) return plan;
    if (this.settings.adopt === "report") {
      this.parts.reporter.adoptable(pass.target, plan.winner);
      return plan;
    }
    return planService({ ...view, existing: adoptable satisfies Ownership }, context);
  }

  #context(): PlanContext {
    return { ...this.settings.installation, families: this.parts.view.families };
  }

  #reportLosers(view: TargetView, plan: ServicePlan): void {
    const first = "winner" in plan ? plan.winner : undefined;
    if (first === undefined) return;
    for (const loser of view.candidates) {
      if (loser === first) continue;
      this.parts.reporter.lost(view.target, loser, whyLost(loser, first, view.target));
    }
  }

  /** Nobody wants the name and no mirror has it; slices and Endpoints may be left of one that somebody deleted. */
  async #nothing(pass: Pass): Promise<PassResult> {
    this.parts.reporter.forgotten(pass.target);
    if (this.settings.paused) return settled("nothing");
    const removed = await this.parts.endpoints.removeLeftovers(pass.target, pass.permit);
    return settled(removed > 0 ? "removed" : "nothing");
  }

  /** Who should have the name cannot have it: what of ours is still there? */
  async #refused(pass: Pass, view: TargetView): Promise<PassResult> {
    // A mirror of ours that a stranger replaced leaves slices, which would point the stranger's name at our source.
    if (view.existing.kind === "foreign") {
      await this.parts.endpoints.removeLeftovers(pass.target, pass.permit);
    }
    // Else it is the refused one's own and stays as it was, or that of a source which must first be asked.
    if (this.#absentHolder(pass.target, view) === undefined) return settled("refused");
    const orphan = planService({ ...view, candidates: [] }, this.#context());
    if (orphan.kind !== "unwanted") return settled("refused");
    const verdict = await this.#prove(pass, orphan.mirror);
    if (verdict.kind === "held") return settled("refused");
    return this.#delete(pass, orphan, verdict);
  }

  /** The mirror goes, but not yet: whoever is sent there meanwhile is to meet pods that live. */
  async #keepRight(
    pass: Pass,
    winner: Candidate,
    { mirror, wanted }: Leaving,
  ): Promise<PassResult> {
    const { endpoints } = this.parts;
    const plan = { kind: "wanted", winner, wanted, writes: [], change: "none" } as const;
    const { refused } = await endpoints.run(pass, plan, mirror);
    // With its namespace everything goes, and what cannot be written is no loss.
    const again = refused !== undefined && !isNamespaceTrouble(refused);
    return { outcome: "refused", again };
  }

  async #remove(pass: Pass, plan: Extract<ServicePlan, { kind: "unwanted" }>): Promise<PassResult> {
    const { target, note } = pass;
    const { reporter } = this.parts;
    if (note.unmapped !== true && note.swept !== true) {
      // A relist no longer has it, or somebody touched the mirror: the next sweep counts it together with the others.
      if (note.doubted !== true) reporter.sweepWanted();
      // Throws, and makes us list again, when the source still has it.
      else await this.#prove(pass, plan.mirror);
      return settled("held");
    }
    const verdict = await this.#prove(pass, plan.mirror);
    if (verdict.kind === "held") {
      reporter.orphanHeld(target, plan.mirror, verdict);
      return settled("held");
    }
    return this.#delete(pass, plan, verdict);
  }

  async #delete(
    { target, note, permit }: Pass,
    { write, mirror }: Extract<ServicePlan, { kind: "unwanted" }>,
    verdict: Extract<Verdict, { kind: "proven" }>,
  ): Promise<PassResult> {
    await this.parts.applier.apply(write, permit);
    await this.parts.endpoints.removeAll(target, permit);
    if (verdict.service !== undefined) await this.#author(verdict.service);
    this.parts.reporter.removed(target, mirror, verdict, note);
    return settled("removed");
  }

  async #make(pass: Pass, plan: Extract<ServicePlan, { kind: "wanted" }>): Promise<PassResult> {
    let mirror: Service | undefined = this.#mirror(pass.target);
    const author = await this.#author(plan.winner.service);
    for (const write of authored(plan.writes, author)) {
      const applied = await this.#apply(write, plan.winner, pass);
      const refusal = whyRefused(applied, pass.target, this.parts.view.existing(pass.target));
      if (refusal !== undefined) {
        this.parts.reporter.refused(pass.target, plan.winner, refusal);
        return { outcome: "refused", again: true };
      }
      // Of a mirror that is made anew the old one owns nothing any more, even if its name is taken meanwhile.
      mirror =
        applied.kind === "done" && applied.object
          ? parsePassingService(applied.object, () => true)
          : undefined;
    }
    if (mirror === undefined) return { outcome: "held", again: true };
    this.parts.reporter.mirrored(pass, plan);
    const endpoints = await this.parts.endpoints.run(pass, plan, mirror);
    if (endpoints.refused !== undefined && isNamespaceTrouble(endpoints.refused)) {
      // The namespace is being deleted with all that is in it: the mirror is no longer in order, it is just not gone yet.
      this.parts.reporter.refused(pass.target, plan.winner, endpoints.refused);
      return { outcome: "refused", again: true };
    }
    this.parts.reporter.synced(pass, plan, endpoints);
    const outcome = plan.writes.length + endpoints.writes > 0 ? "synced" : "unchanged";
    return { outcome, again: endpoints.refused !== undefined };
  }

  /** Also of a stamp whose key another replica has, and this one not yet; whoever reports the change is told the same then. */
  async #author(service: Service): Promise<Author | undefined> {
    const { authors } = this.parts;
    await authors.known(service);
    return authors.of(service);
  }

  /**
   * A mirror goes from one source to another when the new one was told to take over, or when the old one is proven to want
   * it no more: that the cache does not show it may be a list that lied.
   */
  async #mayTakeOver(
    pass: Pass,
    plan: Extract<ServicePlan, { kind: "wanted" }>,
    view: TargetView,
  ): Promise<boolean> {
    const mirror = this.#mirror(pass.target);
    const holder = this.#absentHolder(pass.target, view);
    if (mirror === undefined || holder === undefined) return true;
    const verdict = await this.#prove(pass, mirror);
    if (verdict.kind === "proven") return true;
    // Another cluster's mirror under our link is waiting for just this; one that names no source cannot be asked about.
    if (verdict.code === "former-cluster" || verdict.code === "deletion-not-proven") return true;
    // Else the holder asks for what is refused and keeps the name: it has become a candidate, and a pass of its own follows.
    if (verdict.code !== "route-gone") return false;
    this.parts.reporter.refused(pass.target, plan.winner, {
      code: "name-taken",
      message: `${pass.target} mirrors ${holder}, whose route is not in this configuration; it is free when that mirror is removed`,
    });
    return false;
  }

  /** The source that our mirror names, when it is not among those who want the name. */
  #absentHolder(target: ServiceKey, view: TargetView): ServiceKey | undefined {
    const mirror = this.#mirror(target);
    const holder = mirror && sourceOf(mirror);
    return view.candidates.some((one) => candidateKey(one) === holder) ? undefined : holder;
  }

  #prove(pass: Pass, mirror: Service): Promise<Verdict> {
    return this.parts.proof.unwanted(mirror, {
      destination: this.settings.destination,
      target: pass.target,
      unmapped: pass.note.unmapped === true,
      graceOver: pass.graceOver,
      signal: pass.permit.signal,
    });
  }

  #mirror(target: ServiceKey): Service | undefined {
    const existing = this.parts.view.existing(target);
    return existing.kind === "ours" ? existing.service : undefined;
  }

  /** Makes the namespace first where it is missing and the route says so; once, because a second time would not help. */
  async #apply(write: Write, first: Candidate, { target, permit }: Pass): Promise<Applied> {
    const { applier } = this.parts;
    const applied = await applier.apply(write, permit);
    if (applied.kind !== "namespace-missing" || !first.route.createNamespace) return applied;
    await applier.createNamespace(splitKey(target).namespace, permit);
    return applier.apply(write, permit);
  }
}

function settled(outcome: Outcome): PassResult {
  return { outcome, again: false };
}
