/** Which admitted change a write carries out, and whose: admission's part of the story, for the log and for numbers. */
import { SOURCE_UID_ANNOTATION } from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { keyOf, type ServiceKey } from "../domain/service-key.js";
import type { Author, Change } from "../domain/stamp.js";
import type { Authors } from "../ports/authors.js";
import type { Clock } from "../ports/clock.js";
import type { LogFields } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import { parseRfc3339 } from "../ports/timestamps.js";

export interface AuthorshipParts {
  readonly authors: Authors;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** A change whose admission is longer ago was applied late for another reason, e.g. a pause, and its hint is forgotten. */
const FRESH_MS = 60_000;

export class Authorship {
  /** The change of each Service that was told last. */
  readonly #told = new Map<ServiceKey, string>();

  constructor(
    private readonly destination: string,
    private readonly parts: AuthorshipParts,
  ) {}

  /** A term begins. */
  clear(): void {
    this.#told.clear();
  }

  forget(source: ServiceKey): void {
    this.#told.delete(source);
  }

  /** A change was carried out: fields of its line. */
  applied(service: Service): LogFields {
    const author = this.parts.authors.of(service);
    if (author === undefined) return {};
    const source = keyOf(service);
    if (author.kind === "unknown") this.#pastWebhook(author);
    else this.#admitted(source, author.change);
    return this.#fields(author);
  }

  /**
   * A pass found nothing to write: fields of its line if that is what became of a change, else undefined. What a new leader
   * finds in order is no news.
   */
  unchanged(service: Service): LogFields | undefined {
    const author = this.parts.authors.of(service);
    if (author?.kind !== "known") return undefined;
    const source = keyOf(service);
    const before = this.#told.get(source);
    this.#told.set(source, author.change.id);
    return before === undefined || before === author.change.id ? undefined : this.#fields(author);
  }

  /**
   * A mirror was removed. A promise where it may take a moment until somebody says who did it.
   * @param service what the source has now; undefined: nothing
   */
  removed(
    source: ServiceKey,
    mirror: Service,
    service: Service | undefined,
  ): LogFields | Promise<LogFields> {
    const { authors } = this.parts;
    const uid = mirror.annotations[SOURCE_UID_ANNOTATION] ?? "";
    this.forget(source);
    const author = service === undefined ? authors.deleterOf(source, uid) : authors.of(service);
    if (author instanceof Promise) return author.then((one) => this.#fields(one));
    return author === undefined ? {} : this.#fields(author);
  }

  #admitted(source: ServiceKey, change: Change): void {
    const { authors, metrics } = this.parts;
    const { destination } = this;
    if (this.#told.get(source) === change.id) return;
    this.#told.set(source, change.id);
    const sinceMs = this.#sinceMs(change);
    if (sinceMs === undefined || sinceMs > FRESH_MS) return;
    metrics.observe("svc_ferry_admission_to_applied_seconds", { destination }, sinceMs / 1_000);
    if (authors.wasAnnounced(source, change.id)) return;
    metrics.count("svc_ferry_changes_without_hint_total", { destination });
  }

  /** The API server could not reach the webhook and went on without it, or its configuration does not cover the change. */
  #pastWebhook({ last }: Extract<Author, { readonly kind: "unknown" }>): void {
    const stamp = last === undefined ? "none" : "stale";
    this.parts.metrics.count("svc_ferry_changes_not_admitted_total", {
      destination: this.destination,
      stamp,
    });
  }

  #fields(author: Author): LogFields {
    if (author.kind === "unknown") return { by: unknownText(author.last) };
    const { id, by } = author.change;
    return {
      changeId: id === "" ? undefined : id,
      by: by === "" ? undefined : by,
      sinceAdmissionMs: this.#sinceMs(author.change),
    };
  }

  /** By two machines' clocks, so never less than nothing. undefined: it does not say when. */
  #sinceMs({ at }: Change): number | undefined {
    const atMs = parseRfc3339(at);
    return atMs === undefined ? undefined : Math.max(0, this.parts.clock.now() - atMs);
  }
}

/** Never the person of the last stamp alone: the change is somebody else's. */
function unknownText(last: Change | undefined): string {
  return last === undefined ? "unknown" : `unknown (last admitted: ${last.id} by ${last.by})`;
}
