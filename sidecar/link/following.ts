/** What happens while the fence is ours: a pass where one is needed, then the tail with everything that goes on beside it. */
import { LowWaterMark } from "../writer/low-water-mark.js";
import type { EtcdHeader } from "../etcd/etcd.js";
import { Besides } from "../pass/besides.js";
import type { PassResult } from "../pass/pass.js";
import type { StatusBoard } from "../status/status-board.js";
import { DestinationWatch } from "../tail/destination-watch.js";
import { Rescans } from "../tail/rescans.js";
import { Tail } from "../tail/tail.js";
import { Checkpoints } from "./checkpoints.js";
import { aborted, firstOf } from "./first-of.js";
import type { MirrorOptions } from "./mirror-options.js";
import { RULES_SETTLE_MS, epochFor, type OpenLink } from "./open-link.js";
import type { RulesInForce } from "./rules-in-force.js";
import { SourceReplaced } from "./source-replaced.js";
import { reloadOf, type PassCause } from "./state.js";
import { patiently } from "../writer/patiently.js";

/** There are no rules any more: the term ends, and nothing is written until there are. */
export class RulesReplaced extends Error {
  override readonly name = "RulesReplaced";
}

/** Between two questions to the source. */
const ASK_MS = 10_000;

export class Following {
  /** While something is followed. */
  #checkpoints: Checkpoints | undefined;

  constructor(
    private readonly options: MirrorOptions,
    private readonly link: OpenLink,
    private readonly rules: RulesInForce,
    private readonly board: StatusBoard,
  ) {}

  /** @throws what ended the term, always */
  async run(signal: AbortSignal): Promise<never> {
    const { passCause } = this.link;
    const beside = this.#interrupted();
    let cause = passCause;
    for (;;) {
      signal.throwIfAborted();
      if (cause !== undefined && (await this.#copy(cause, signal)) === "rules") {
        await this.#adoptRules();
        cause = "reload";
        continue;
      }
      const ended = await this.#follow(beside, signal);
      beside.clear();
      cause = ended === "compacted" ? ended : undefined;
      if (ended === "rules") {
        await this.#adoptRules();
        beside.add("reload");
      }
    }
  }

  /** Passes beside the tail that an earlier term has not ended, or not begun. */
  #interrupted(): Set<PassCause> {
    const { keeper, passCause } = this.link;
    const { pass } = keeper.state;
    if (pass === undefined) return new Set();
    if (passCause !== undefined) return new Set<PassCause>(["requested"]);
    return new Set<PassCause>(pass.lastPath === "" ? [pass.cause] : ["resumed", "requested"]);
  }

  /** Nothing new comes: what is under way ends, and the checkpoint follows it. @throws FenceLost */
  async settle(): Promise<void> {
    await this.link.writer.idle();
    await this.#checkpoints?.write();
  }

  /** A pass without which there is nothing to follow. */
  async #copy(cause: PassCause, signal: AbortSignal): Promise<"done" | "rules"> {
    const { keeper, pass } = this.link;
    this.board.activity = "copying";
    const resume = cause === "resumed" ? keeper.state.pass : undefined;
    await keeper.write({ phase: "copy" });
    const startedMs = this.options.clock.monotonicMs();
    const ended = await firstOf<PassResult | "rules">(signal, [
      (end) => pass.run({ cause, resume, verifies: true, signal: end }),
      (end) => this.#rulesReplaced(end),
      (end) => this.#epochEnds(end),
    ]);
    if (ended === "rules") return ended;
    const { nextRevision, written } = ended;
    const endedMs = this.options.clock.monotonicMs();
    this.board.convergence.ended({ cause, startedMs, endedMs, written });
    const applied = nextRevision - 1n;
    const verifiedAtMs = this.options.clock.now();
    await keeper.write({ phase: "tail", applied, pass: undefined, verifiedAtMs });
    return "done";
  }

  async #follow(
    beside: ReadonlySet<PassCause>,
    signal: AbortSignal,
  ): Promise<"compacted" | "rules"> {
    const { parts, writer, keeper, pass, payer, books } = this.link;
    const { clock, destination } = this.options;
    const applied = keeper.state.applied ?? 0n;
    const { last: labelsRevision } = await pass.readIndexes(signal);
    const mark = new LowWaterMark(applied, clock.monotonicMs());
    const rescans = new Rescans(parts, writer, mark);
    const onHeader = (header: EtcdHeader): void => {
      this.#check(header);
      mark.heard(clock.monotonicMs());
    };
    const tail = new Tail(parts, writer, mark, rescans, onHeader);
    const besides = new Besides(
      clock,
      keeper,
      pass,
      RULES_SETTLE_MS,
      this.options.policy.verifyEveryMs,
    );
    for (const cause of beside) besides.want(cause);
    const watch = new DestinationWatch(parts, writer, payer, destination);
    const checkpoints = new Checkpoints(clock, keeper, mark, books.tombstones);
    this.#checkpoints = checkpoints;
    this.board.following(mark);
    const ended = await firstOf<"compacted" | "rules">(signal, [
      (end) => tail.run(applied + 1n, labelsRevision, end),
      (end) => rescans.run(end),
      (end) => besides.run(end),
      (end) => payer.run(end),
      (end) => watch.watch(end),
      (end) => watch.look(end),
      (end) => checkpoints.run(end),
      (end) => this.#askSource(mark, onHeader, end),
      (end) => this.#otherLinks(besides, end),
      (end) => this.#epochEnds(end),
      (end) => this.#rulesReplaced(end),
    ]);
    await this.settle();
    this.#checkpoints = undefined;
    return ended;
  }

  /** What other links write into the source, and when they stop. */
  async #otherLinks(besides: Besides, signal: AbortSignal): Promise<never> {
    const { mirroredHere, books } = this.link.parts;
    if (mirroredHere === undefined) return aborted(signal);
    return mirroredHere.follow(
      {
        freed: () => besides.want("requested"),
        // Its record came after it, as it does through an API server: what is owed meanwhile is not ours to pay.
        mirrored: (path) => {
          if (books.debts.has(path)) this.link.payer.trigger(path);
        },
      },
      signal,
    );
  }

  /** They may have come before anybody waited for them: while books were read, or in a pass. */
  async #rulesReplaced(signal: AbortSignal): Promise<"rules"> {
    const { current, replaced } = this.rules;
    if (current?.hash === this.link.view.rules.hash) {
      await aborted(AbortSignal.any([replaced, signal])).catch(() => undefined);
      signal.throwIfAborted();
    }
    return "rules";
  }

  /** New events are judged by the new rules at once; a pass beside the tail follows. */
  async #adoptRules(): Promise<void> {
    const { current } = this.rules;
    if (current === undefined) throw new RulesReplaced("there are no rules any more");
    const { keeper, view, books } = this.link;
    const { rulesHash, rulesSinceMs, history, phase, applied } = keeper.state;
    view.rules = current;
    books.index.beginEpoch();
    books.tombstones.clear();
    await keeper.write({
      rulesHash: current.hash,
      epoch: epochFor(this.options, current, history),
      rulesSinceMs: rulesHash === current.hash ? rulesSinceMs : this.options.clock.now(),
      ...(phase === "tail" ? { pass: reloadOf(applied) } : {}),
    });
  }

  /** Other keys of encryption, on either side: everything is made anew with them, by a pass as after a reload. */
  async #epochEnds(signal: AbortSignal): Promise<"rules"> {
    const { keeper, view } = this.link;
    for (;;) {
      await this.options.clock.sleep(ASK_MS, signal);
      signal.throwIfAborted();
      const epoch = epochFor(this.options, view.rules, keeper.state.history);
      if (epoch !== keeper.state.epoch) return "rules";
    }
  }

  /** A watch whose next revision lies in the future waits without a word: so somebody has to ask. */
  async #askSource(
    mark: LowWaterMark,
    onHeader: (header: EtcdHeader) => void,
    signal: AbortSignal,
  ): Promise<never> {
    const { clock, source } = this.options;
    for (;;) {
      await clock.sleep(ASK_MS, signal);
      signal.throwIfAborted();
      const { read } = mark;
      const header = await patiently(this.link.parts, () => source.revision({ signal }));
      onHeader(header);
      if (header.revision < read) throw new SourceReplaced("the source's revision went backwards");
    }
  }

  #check(header: EtcdHeader): void {
    const { state } = this.link.keeper;
    const isOther = String(header.clusterId) !== state.sourceClusterId;
    if (isOther || header.revision < (state.applied ?? 0n)) {
      throw new SourceReplaced("the source is not the one that was followed");
    }
  }
}
