/**
 * Who wanted which name when, and who had it: a name is never taken from a
 * Service that wants it, neither for another nor for nobody, and no slice from a
 * mirror whose source still has it.
 */
import { ENDPOINT_SLICES, SERVICES } from "../../src/ports/kube-resources.js";
import type { KubeObject } from "../../src/ports/kube-api.js";
import type { AuditEntry } from "../fakes/audit-log.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import type { Change } from "../fakes/memory-etcd.js";
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import { collectionOf } from "../fakes/stored-object.js";
import { wishes } from "./oracle.js";
import { annotation, keyOf, label, type RawService } from "./raw.js";

/** A point in a history: changes of all clusters in one order. */
interface Moment {
  readonly order: number;
  readonly atMs: number;
}

/** A mirror lost its source, by deletion or to another; or one of its slices, whose source slice is there. */
interface Loss {
  readonly destination: number;
  readonly change: Change;
  readonly text: string;
}

/**
 * How old the proof behind a deletion may be when that arrives: what a Lease lasts, and the way there.
 */
const PROOF_MS = 6_000;
/** How old the view of the source may be that a re-creation follows: a watch that is half-open is noticed after 90 s. */
const VIEW_MS = 120_000;

export class Holdings {
  /** "destination target source" -> since when it wants the name without a break. */
  readonly #wantedSince = new Map<string, Moment>();
  /** "slice service" -> since when that source slice belongs to that Service. */
  readonly #slicedSince = new Map<string, Moment>();
  /** Slice of a mirror, as "destination uid" -> since when it is there. */
  readonly #mirroredSince = new Map<string, Moment>();
  /** Source -> when it last became, or ceased to be, headless or external, or changed its primary family. */
  readonly #reshaped = new Map<string, Moment>();
  /** "destination target" -> since when the mirror has its source. */
  readonly #heldSince = new Map<string, Moment>();
  readonly #losses: Loss[] = [];
  #order = 0;

  constructor(private readonly world: SimulatedWorld) {
    world.source.etcd.onChange((change) => {
      if (isService(change)) this.#sourceChanged(change);
      if (isSlice(change)) this.#sliceChanged(change);
    });
    world.destinations.forEach((server, index) => {
      server.etcd.onChange((change) => {
        if (isService(change)) this.#mirrorChanged(index, change);
        if (isSlice(change)) this.#mirrorSliceChanged(server, index, change);
      });
    });
  }

  /** Those of the losses that a replica caused. */
  problems(): readonly string[] {
    const clients = this.world.destinations.map(clientsOf);
    return this.#losses
      .filter(({ destination, change }) => {
        const id = change.after === undefined ? change.before?.uid : String(change.revision);
        return clients[destination]?.get(id ?? "")?.startsWith("ferry-") === true;
      })
      .map(({ text }) => text);
  }

  #sourceChanged({ key, before, after }: Change): void {
    const now = this.#now();
    const was = new Set(wishKeys(key, before?.full));
    const is = new Set(wishKeys(key, after?.full));
    // A Service that was replaced under its name ceased to want anything in between.
    const isAnother = before?.uid !== after?.uid;
    for (const wish of was) if (!is.has(wish) || isAnother) this.#wantedSince.delete(wish);
    for (const wish of is) if (!was.has(wish) || isAnother) this.#wantedSince.set(wish, now);
    const shapes = [before, after].map((stored) => shapeOf(stored?.full));
    if (after !== undefined && shapes[0] !== shapes[1]) this.#reshaped.set(key, now);
  }

  #sliceChanged({ before, after }: Change): void {
    const now = this.#now();
    const [was, is] = [before, after].map((stored) => stored && belonging(stored.full));
    if (was === is && before?.uid === after?.uid) return;
    if (was !== undefined) this.#slicedSince.delete(was);
    if (is !== undefined) this.#slicedSince.set(is, now);
  }

  #mirrorSliceChanged(server: MemoryApiServer, destination: number, change: Change): void {
    const now = this.#now();
    const { before, after } = change;
    const id = `${destination} ${(after ?? before)?.uid ?? ""}`;
    if (before === undefined) this.#mirroredSince.set(id, now);
    if (after !== undefined || before === undefined) return;
    const { namespace = "" } = before.full.metadata;
    const name = label(before.full, "kubernetes.io/service-name") ?? "";
    const mirror = server.etcd.get(collectionOf(SERVICES), `${namespace}/${name}`);
    const source = sourceOf(mirror?.full);
    const slice = annotation(before.full, "svc-ferry.io/source") ?? "";
    const since = this.#slicedSince.get(`${slice} ${source ?? ""}`);
    const reshaped = source === undefined ? undefined : this.#reshaped.get(source);
    const mayReshape = reshaped !== undefined && now.atMs - reshaped.atMs < VIEW_MS;
    const there = this.#mirroredSince.get(id);
    if (since === undefined || there === undefined || mayReshape) return;
    if (since.order < there.order || now.atMs - since.atMs > PROOF_MS) {
      const text = `destination-${destination}: slice ${before.full.metadata.name} was taken from ${namespace}/${name}, although ${slice} is there (at ${now.atMs / 1_000} s)`;
      this.#losses.push({ destination, change, text });
    }
  }

  #mirrorChanged(destination: number, change: Change): void {
    const now = this.#now();
    const { key, before, after } = change;
    const had = sourceOf(before?.full);
    const has = sourceOf(after?.full);
    const place = `${destination} ${key}`;
    const held = this.#heldSince.get(place);
    if (had !== has) {
      if (had !== undefined && held !== undefined && this.#isTaken(place, had, held, now, has)) {
        const text = `destination-${destination}: ${key} was taken from ${had}, which wants it (at ${now.atMs / 1_000} s), for ${has ?? "nobody"}`;
        this.#losses.push({ destination, change, text });
      }
      if (has === undefined) this.#heldSince.delete(place);
      else this.#heldSince.set(place, now);
    }
  }

  #isTaken(
    place: string,
    had: string,
    held: Moment,
    now: Moment,
    has: string | undefined,
  ): boolean {
    const wanted = this.#wantedSince.get(`${place} ${had}`);
    if (wanted === undefined) return false;
    const reshaped = this.#reshaped.get(had);
    const mayReshape =
      reshaped !== undefined && (reshaped.order > held.order || now.atMs - reshaped.atMs < VIEW_MS);
    if (has === undefined && mayReshape) return false;
    return wanted.order < held.order || now.atMs - wanted.atMs > PROOF_MS;
  }

  #now(): Moment {
    this.#order += 1;
    return { order: this.#order, atMs: this.world.clock.monotonicMs() };
  }
}

function isService({ collection }: Change): boolean {
  return collection === collectionOf(SERVICES);
}

function wishKeys(key: string, object: object | undefined): readonly string[] {
  if (object === undefined) return [];
  return wishes(object as RawService).map(
    ({ destination, target }) => `${destination} ${target} ${key}`,
  );
}

function sourceOf(object: object | undefined): string | undefined {
  if (object === undefined) return undefined;
  const service = object as RawService;
  const link = label(service, "svc-ferry.io/link") ?? annotation(service, "svc-ferry.io/link");
  return link === undefined ? undefined : annotation(service, "svc-ferry.io/source");
}

/** What decides whether a mirror has to be made anew, or has slices at all. */
function shapeOf(object: object | undefined): string {
  const { type, clusterIP, ipFamilies } = (object as RawService | undefined)?.spec ?? {};
  return `${type === "ExternalName"} ${clusterIP === "None"} ${ipFamilies?.[0] ?? ""}`;
}

function isSlice({ collection }: Change): boolean {
  return collection === collectionOf(ENDPOINT_SLICES);
}

/** A source slice and the Service that it belongs to. */
function belonging(slice: KubeObject): string {
  const name = label(slice, "kubernetes.io/service-name") ?? "";
  return `${keyOf(slice)} ${slice.metadata.namespace ?? ""}/${name}`;
}

/** Who wrote which revision, and who deleted which uid. */
function clientsOf(server: MemoryApiServer): ReadonlyMap<string, string> {
  return new Map(server.audit.changes().map((entry) => [idOf(entry), entry.client]));
}

function idOf({ verb, object }: AuditEntry): string {
  const { uid = "", resourceVersion = "" } = object?.metadata ?? {};
  return verb === "delete" ? uid : resourceVersion;
}
