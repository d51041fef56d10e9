/** `svc-ferry leave` in earnest: mirror by mirror, each read anew, and told what could not be done. */
import { isBlocked, leavePlan, leftoverWrites } from "./domain/leave.js";
import { serviceKey, type NamespacedName } from "./domain/service-key.js";
import type { Write } from "./domain/writes.js";
import { NO_METRICS } from "./explain/silence.js";
import type { Leaving, MirrorsOfLink } from "./leaving-mirrors.js";
import type { Clock } from "./ports/clock.js";
import type { Digest } from "./ports/digest.js";
import { RetryableError, TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { LeaveQuestion, LeaveReport } from "./ports/leave-report.js";
import { Applier, type Applied, type WritePermit } from "./reconcile/applier.js";

/** Somebody else writes the object now and then; one that is written all the time is left to the next run. */
const MAX_ATTEMPTS = 5;
/** The mirroring controller works within a second; after this long it does not work there. */
const MIRRORING_MS = 30_000;
const LOOK_MS = 200;

export interface LeaveRunParts {
  readonly clock: Clock;
  readonly digest: Digest;
  readonly api: KubeApi;
  readonly found: MirrorsOfLink;
  readonly link: string;
  readonly kind: LeaveQuestion["kind"];
  readonly permit: () => boolean;
}

/** One run. Writes through the Applier, with uid and version of what was read a moment before. */
export class LeaveRun {
  readonly #applier: Applier;
  readonly #writes: string[] = [];
  readonly #troubles: string[] = [];

  constructor(private readonly parts: LeaveRunParts) {
    const view = { wrote: () => {}, deleted: () => {} };
    this.#applier = new Applier("destination", parts.api, view, NO_METRICS);
  }

  async leave(
    { mirrors, leftovers }: Leaving,
    signal: AbortSignal,
  ): Promise<Pick<LeaveReport, "writes" | "troubles">> {
    for (const { service } of mirrors) {
      const key = serviceKey(service.namespace, service.name);
      await this.#trying(key, () => this.#mirror(service, signal));
    }
    const { slices, endpoints } = leftovers;
    for (const write of leftoverWrites(this.parts.kind, slices, endpoints)) {
      await this.#trying(writeText(write), () => this.#apply([write], signal));
    }
    return { writes: this.#writes, troubles: this.#troubles };
  }

  /** Read anew at each attempt: what was listed may be old. */
  async #mirror(ref: NamespacedName, signal: AbortSignal): Promise<void> {
    const { found, link, kind } = this.parts;
    const mirror = await found.mirror(link, ref, signal);
    if (mirror === undefined) return;
    if (kind === "hand-over" && isBlocked(mirror, this.parts.digest)) {
      this.#troubles.push(
        `Endpoints ${ref.namespace}/${ref.name} are somebody else's and hold other addresses: this mirror stays as it is`,
      );
      return;
    }
    const { first, awaited, next, last } = leavePlan(kind, mirror, this.parts.digest);
    await this.#apply(first, signal);
    if (awaited.length > 0 && !(await this.#mirrored(ref, awaited, signal))) {
      this.#troubles.push(
        `no slices were made of Endpoints ${ref.namespace}/${ref.name} within ${MIRRORING_MS / 1_000} s: svc-ferry's stay; does the controller manager run endpointslice-mirroring?`,
      );
      return;
    }
    await this.#apply(next, signal);
    await this.#apply(last, signal);
  }

  async #mirrored(
    ref: NamespacedName,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.parts;
    const untilMs = clock.monotonicMs() + MIRRORING_MS;
    while (clock.monotonicMs() < untilMs && !signal.aborted) {
      const there = await this.parts.found.mirroredAddresses(ref, signal);
      if (addresses.every((address) => there.has(address))) return true;
      await clock.sleep(LOOK_MS, signal);
    }
    return false;
  }

  async #apply(writes: readonly Write[], signal: AbortSignal): Promise<void> {
    const permit: WritePermit = { signal, permit: this.parts.permit, priority: "bulk" };
    for (const write of writes) {
      const applied = await this.#applier.apply(write, permit);
      if (applied.kind !== "done") throw refusal(write, applied);
      this.#writes.push(writeText(write));
    }
  }

  async #trying(what: string, work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof RetryableError || error instanceof TerminalError)) throw error;
        if (error.code === "FERRY-R001" && attempt < MAX_ATTEMPTS) continue;
        this.#troubles.push(`${what}: ${error.message} (${error.code})`);
        return;
      }
    }
  }
}

/** "patch endpoints prod/web" */
export function writeText({ verb, resource, ref }: Write): string {
  return `${verb} ${resource} ${ref.namespace}/${ref.name}`;
}

function refusal(
  write: Write,
  applied: Exclude<Applied, { readonly kind: "done" }>,
): TerminalError {
  const said = "message" in applied ? applied.message : applied.kind;
  return new TerminalError("FERRY-K011", `${writeText(write)} was refused: ${said}`);
}
