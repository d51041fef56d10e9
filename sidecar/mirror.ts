/**
 * The mirror of one link: whatever the rules want of the source is in the destination, and stays so.
 *
 *     rules → pass over the source → watch → judge and transform → ordered, fenced transactions → destination
 *
 * A term begins when the fence is taken and ends when it is lost; who waits for it stands by. Within a term a pass *returns* the
 * revision from which the watch *begins*, so the order cannot be called wrongly; whatever the watch can no longer have leads back to
 * a pass.
 */
import { OVER } from "../src/ports/aborted.js";
import { EtcdError } from "./etcd/etcd.js";
import { Fence } from "./fence/fence.js";
import { FenceLost, type HeldFence } from "./fence/held-fence.js";
import { aborted, firstOf } from "./link/first-of.js";
import { Following, RulesReplaced } from "./link/following.js";
import { Keyspace } from "./link/keyspace.js";
import type { MirrorOptions } from "./link/mirror-options.js";
import { epochFor, openLink, type OpenLink } from "./link/open-link.js";
import { RulesInForce } from "./link/rules-in-force.js";
import { SourceReplaced } from "./link/source-replaced.js";
import { isSealed } from "./link/state.js";
import type { Ruleset } from "./rules/ruleset.js";
import { Standby } from "./standby/standby.js";
import type { MirrorStatus } from "./status/mirror-status.js";
import { StatusBoard } from "./status/status-board.js";

/** Between two looks at a sealed destination, and after a term that failed. */
const AGAIN_MS = 2_000;
/** What is under way when a term ends is given so long. */
const SETTLE_MS = 2_000;

export class Mirror {
  readonly #fence: Fence;
  readonly #rules: RulesInForce;
  readonly #board: StatusBoard;
  /** The last term has seen that the source is another one; the next one need not find that out. */
  #sourceReplaced = false;

  constructor(private readonly options: MirrorOptions) {
    const { destination: etcd, clock, log, link, identity, ttlSeconds } = options;
    const keys = new Keyspace(link);
    const ttl = ttlSeconds === undefined ? {} : { ttlSeconds };
    this.#fence = new Fence({ etcd, clock, log, keys, identity, ...ttl });
    this.#rules = new RulesInForce(options.rules);
    this.#board = new StatusBoard(options, this.#fence);
  }

  get status(): MirrorStatus {
    return this.#board.status;
  }

  /** Other rules, from now on. undefined: none; nothing more is written, and nothing is removed. */
  useRules(rules: Ruleset | undefined): void {
    this.#rules.replace(rules);
  }

  /** A person has said that the deletions which the brake holds are meant so. */
  releaseBrake(): void {
    this.#board.link?.brake.release();
    this.#board.link?.payer.triggerAll(["braked"]);
  }

  /**
   * Runs until `signal` aborts.
   * @throws LinkRefused, BookUnreadable, OccupiedName, EtcdError `unsupported`: a person has to decide. All else is tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#term(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (!this.#mayPass(error)) {
          this.#board.stopped(error);
          throw error;
        }
        this.#board.activity = "waiting";
        await this.options.clock.sleep(AGAIN_MS, signal);
      }
    }
    this.#board.activity = "stopped";
  }

  async #term(signal: AbortSignal): Promise<void> {
    this.#board.activity = this.#rules.current === undefined ? "no-rules" : "waiting";
    await this.#rules.some(signal);
    this.#board.activity = "waiting";
    const standby = this.#standby();
    try {
      const fence = await this.#fence.acquire(signal, () => standby.start());
      await this.#hold(fence, standby, signal);
    } finally {
      await standby.stop();
    }
  }

  async #hold(fence: HeldFence, standby: Standby, signal: AbortSignal): Promise<void> {
    try {
      this.#board.activity = "loading";
      // Those of now: others may have come while another process wrote.
      const rules = this.#rules.current;
      if (rules === undefined) throw new RulesReplaced("there are no rules any more");
      const isOtherSource = this.#sourceReplaced;
      const { tally } = this.#board;
      const opened = await openLink(this.options, { fence, rules, tally, isOtherSource, standby });
      await standby.stop();
      this.#sourceReplaced = false;
      if (opened.kind === "sealed") return await this.#sealed(fence, signal);
      await this.#mirror(opened, fence, signal);
    } finally {
      await fence.release();
      this.#board.ended();
    }
  }

  #standby(): Standby {
    const { destination: etcd, clock, log, link } = this.options;
    const epochIn = (history: number): string | undefined => {
      const rules = this.#rules.current;
      return rules && epochFor(this.options, rules, history);
    };
    return new Standby({ etcd, clock, log, keys: new Keyspace(link), epochIn });
  }

  async #mirror(link: OpenLink, fence: HeldFence, signal: AbortSignal): Promise<void> {
    this.#board.opened(link);
    const following = new Following(this.options, link, this.#rules, this.#board);
    await firstOf(signal, [
      (end) => following.run(end),
      (end) => aborted(AbortSignal.any([fence.signal, end])),
      (end) => aborted(AbortSignal.any([link.writer.failed, end])),
      (end) => this.#ending(following, fence, end),
    ]);
  }

  /**
   * Gives back the fence while others still end: some wait for an etcd that is away, and without the fence they wait no longer.
   * @throws the signal's reason, always
   */
  async #ending(following: Following, fence: HeldFence, signal: AbortSignal): Promise<never> {
    await aborted(signal).catch(() => undefined);
    const over = new AbortController();
    // Without the fence, nothing is under way, and there is no checkpoint to write.
    const settled = following.settle().catch(() => undefined);
    await Promise.race([settled, this.options.clock.sleep(SETTLE_MS, over.signal)]);
    over.abort(OVER);
    await fence.release();
    throw signal.reason;
  }

  /**
   * The fence is given back meanwhile, and the state is read without it. To take it for each look would be two writes every two
   * seconds, for as long as a mirror stands at the seal: what works there now would have to compact them, and whoever mirrors from
   * there would see a revision that never rests.
   */
  async #sealed(fence: HeldFence, signal: AbortSignal): Promise<void> {
    const { clock, destination, link } = this.options;
    const key = new Keyspace(link).state;
    this.#board.activity = "sealed";
    await fence.release();
    for (;;) {
      await clock.sleep(AGAIN_MS, signal);
      signal.throwIfAborted();
      const [state] = (await destination.range({ key }, { signal })).kvs;
      if (!isSealed(state?.value)) return;
    }
  }

  #mayPass(error: unknown): boolean {
    if (error instanceof FenceLost || error instanceof RulesReplaced) return true;
    this.#board.failed(error);
    if (error instanceof SourceReplaced) this.#sourceReplaced = true;
    if (error instanceof SourceReplaced) return true;
    return error instanceof EtcdError && error.kind !== "unsupported" && error.kind !== "invalid";
  }
}
