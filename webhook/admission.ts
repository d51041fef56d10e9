/**
 * What happens to one review: the rules decide, what was let pass is offered to the leader, and the log says it. Nothing here
 * waits: the answer comes from memory.
 */
import type { Service } from "../src/domain/objects.js";
import { serviceKey } from "../src/domain/service-key.js";
import { matters, stampIn, wishes, type ContentContext } from "../src/domain/stamp.js";
import type { Clock } from "../src/ports/clock.js";
import { ExpiringMap } from "../src/ports/expiring-map.js";
import type { Hint, HintSink } from "../src/ports/hint.js";
import type { Log } from "../src/ports/log.js";
import type {
  AdmissionHandlers,
  Allowed,
  Lateness,
  Patched,
  Refused,
} from "./admission-handler.js";
import type { AdmissionReview } from "./admission-review.js";
import { boundedHint } from "./hand-off-message.js";
import { probeAnswer, type Respondent } from "./probe.js";
import type { Mutator } from "./mutator.js";
import type { Validator } from "./validator.js";

export interface AdmissionParts {
  readonly mutator: Mutator;
  readonly validator: Validator;
  readonly hints: HintSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly context: () => ContentContext;
  /** What of a user's name is written, see `--changed-by`. */
  readonly shown: (username: string) => string;
  /** Groups are written too. */
  readonly showsGroups: boolean;
  /** This replica, for probes. */
  readonly self: Respondent;
}

const SAID_FOR_MS = 10_000;

const OPERATIONS = { CREATE: "create", UPDATE: "update", DELETE: "delete" } as const;

export class Admission implements AdmissionHandlers {
  readonly #said: ExpiringMap<true>;

  constructor(private readonly parts: AdmissionParts) {
    this.#said = new ExpiringMap({ clock: parts.clock, keepMs: SAID_FOR_MS, maxEntries: 1_000 });
  }

  /** Ours, and what a route copies. */
  readonly keepAnnotation = (key: string): boolean =>
    this.parts.context().routes.some((route) => route.copyAnnotations.includes(key));

  readonly mutate = (review: AdmissionReview): Allowed | Patched => {
    if (review.operation === "DELETE") return { kind: "allowed" };
    const { object, oldObject, dryRun, user } = review;
    const patch = this.parts.mutator.mutate({
      dryRun,
      username: user.username,
      before: oldObject?.service,
      after: object.service,
      annotations: object.annotations,
    });
    return { kind: "patched", patch };
  };

  readonly validate = (review: AdmissionReview, late: Lateness): Allowed | Refused => {
    const { object, dryRun } = review;
    const probe = probeAnswer(object?.service, dryRun, this.parts.self);
    if (probe !== undefined) return { kind: "allowed", warnings: [probe] };
    return this.#judged(review, late);
  };

  #judged(review: AdmissionReview, late: Lateness): Allowed | Refused {
    const { dryRun } = review;
    const before = review.oldObject?.service;
    const after = review.object?.service;
    const verdict = this.parts.validator.validate({ before, after, dryRun });
    if (verdict.kind === "refused") {
      this.#refused(review, verdict);
      return verdict;
    }
    // A removal ends the sync whatever else is in the object.
    const isMeant = matters(before, after, this.parts.context());
    const { warnings } = verdict;
    const targets = this.#targets(after ?? before);
    const target = targets.length === 0 ? {} : { target: targets.join(" ") };
    if (!isMeant || dryRun || late.aborted) return { kind: "allowed", warnings, audit: target };
    const hint = boundedHint(this.#hint(review, after ?? before));
    if (hint === undefined) return { kind: "allowed", warnings, audit: target };
    this.parts.hints.offer(hint);
    this.#admitted(hint, review, targets);
    const { changeId } = hint;
    const audit = changeId === undefined ? target : { ...target, "change-id": changeId };
    return { kind: "allowed", warnings, audit };
  }

  #hint(review: AdmissionReview, service: Service | undefined): Hint {
    const { clock, shown } = this.parts;
    const operation = OPERATIONS[review.operation];
    const isDeletion = operation === "delete";
    return {
      service: serviceKey(review.namespace, service?.name ?? review.name),
      operation,
      changeId: isDeletion ? service?.uid : stampIn(service?.annotations ?? {})?.id,
      by: shown(review.user.username),
      uid: service?.uid ?? "",
      admittedAtMs: clock.now(),
    };
  }

  #targets(service: Service | undefined): readonly string[] {
    if (service === undefined) return [];
    const found = wishes(service, this.parts.context());
    return found.map(({ route, target }) => `${route.destination}/${target}`);
  }

  /** Once for each change: a conflict inside the API server asks us again about the same. */
  #admitted(hint: Hint, { user }: AdmissionReview, targets: readonly string[]): void {
    const { service, operation, changeId = "", by, uid } = hint;
    if (!this.#isNews(`${service} ${operation} ${changeId} ${by}`)) return;
    const who = { by, ...this.#groups(user.groups) };
    const what = { operation, service, targets, uid: uid === "" ? undefined : uid };
    this.parts.log.info({ outcome: "admitted", changeId, ...who, ...what }, "admitted");
  }

  #refused(review: AdmissionReview, { code, message }: Refused): void {
    const { namespace, name, user, operation, dryRun } = review;
    const by = this.parts.shown(user.username);
    const service = serviceKey(namespace, name);
    if (!this.#isNews(`${service} ${code} ${by}`)) return;
    const who = { by, ...this.#groups(user.groups) };
    const what = { outcome: "refused", ...who, operation: OPERATIONS[operation], service, dryRun };
    this.parts.log.info({ ...what, code, reason: message }, "refused");
  }

  #groups(groups: readonly string[]): { readonly groups?: readonly string[] } {
    return this.parts.showsGroups ? { groups } : {};
  }

  #isNews(what: string): boolean {
    if (this.#said.get(what) !== undefined) return false;
    this.#said.set(what, true);
    return true;
  }
}
