/** What one term of writing stands on: identity checked, books read, everything made from them. */
import { ApiPayer } from "../api/api-payer.js";
import { Brake } from "../brake/brake.js";
import { DebtPayer } from "../debts/debt-payer.js";
import type { EtcdHeader } from "../etcd/etcd.js";
import type { HeldFence } from "../fence/held-fence.js";
import { epochOf } from "../ledger/epoch.js";
import { openBooks, readState } from "../ledger/open-books.js";
import type { Books } from "../ledger/books.js";
import { Pass } from "../pass/pass.js";
import type { Ruleset } from "../rules/ruleset.js";
import type { Standby } from "../standby/standby.js";
import type { Tally } from "../status/tally.js";
import { DestinationView } from "../view/destination-view.js";
import { MirroredHere } from "../view/mirrored-here.js";
import { SourceView } from "../view/source-view.js";
import { Pace } from "../writer/pace.js";
import type { WriterParts } from "../writer/parts.js";
import { Transactions } from "../writer/transactions.js";
import { Writer } from "../writer/writer.js";
import { Catalog } from "../keys/catalog.js";
import { identityOf } from "./identity.js";
import { KubePrefix, Keyspace } from "./keyspace.js";
import type { MirrorOptions } from "./mirror-options.js";
import {
  FIRST_HISTORY,
  isOfOtherEpoch,
  reloadOf,
  type LinkState,
  type PassCause,
} from "./state.js";
import { StateKeeper } from "./state-keeper.js";
import { freshUid } from "./uid.js";

/** The link must not be written, and waiting does not help: a person has to decide. */
export class LinkRefused extends Error {
  override readonly name = "LinkRefused";
}

/** Rules that replaced others remove nothing for this long: whoever has made a mistake has time to see it. */
export const RULES_SETTLE_MS = 5 * 60_000;

export interface OpenLink {
  readonly kind: "open";
  readonly parts: WriterParts;
  readonly transactions: Transactions;
  readonly books: Books;
  readonly view: SourceView;
  readonly destination: DestinationView;
  readonly keeper: StateKeeper;
  readonly writer: Writer;
  readonly pass: Pass;
  readonly payer: DebtPayer;
  readonly brake: Brake;
  /** Why nothing can be followed before a pass over the whole source; undefined: the tail goes on. */
  readonly passCause: PassCause | undefined;
}

export type Opened = OpenLink | { readonly kind: "sealed"; readonly state: LinkState };

interface Given {
  readonly fence: HeldFence;
  readonly rules: Ruleset;
  readonly tally: Tally;
  /** It was seen that the source is another store than the one that was mirrored. */
  readonly isOtherSource: boolean;
  /** Has followed the books while the fence was another's; undefined: nobody has. */
  readonly standby?: Standby;
}

/**
 * @throws LinkRefused, BookUnreadable when a person is needed; FenceLost; EtcdError of the source
 */
export async function openLink(options: MirrorOptions, given: Given): Promise<Opened> {
  const { clock, log, policy, destination: etcd } = options;
  const keys = new Keyspace(options.link);
  const pace = new Pace(clock, policy.maxWritesPerSecond);
  const transactions = new Transactions({ etcd, clock, log, pace, fence: given.fence });
  const before = await readState(transactions, keys);
  if (before?.phase === "sealed") return { kind: "sealed", state: before };
  await probe(transactions, keys);
  let begin = await begun(options, given, transactions, before);
  const handOver = (epoch: string) => given.standby?.handOver(epoch, given.fence);
  const at = (epoch: string) => ({ epoch, nowMs: clock.now() });
  let books = await openBooks(transactions, keys, at(begin.state.epoch), handOver);
  const { witnesses } = books;
  const call = { signal: given.fence.signal };
  const prefix = new KubePrefix(options.sourcePrefix);
  if (
    // Something was made from a revision that the source has not reached, or has never had: it was restored from a backup.
    witnesses.newestRevision > begin.sourceRevision ||
    (await witnesses.contradict(options.source, prefix, call))
  ) {
    begin = await begun(options, { ...given, isOtherSource: true }, transactions, before);
    books = await openBooks(transactions, keys, at(begin.state.epoch));
  }
  const { state, passCause } = begin;
  const keeper = new StateKeeper({ transactions, clock, keys }, state);
  const mirroredHere = await othersIn(options, state, given.fence.signal);
  const link = made(options, given, { transactions, books, keeper, mirroredHere });
  link.brake.restore(books.debts.counts.braked);
  await keeper.write({});
  return { kind: "open", transactions, books, keeper, passCause, ...link };
}

/** undefined: both sides are one etcd. */
async function othersIn(
  { source, log, clock }: MirrorOptions,
  { sourceClusterId, destinationClusterId }: LinkState,
  signal: AbortSignal,
): Promise<MirroredHere | undefined> {
  if (sourceClusterId === destinationClusterId) return undefined;
  const mirroredHere = new MirroredHere(source, log, clock);
  await mirroredHere.load({ signal });
  return mirroredHere;
}

/** Two operations in one transaction, which change nothing. kine and its like refuse that, and nothing here would work. */
async function probe(transactions: Transactions, keys: Keyspace): Promise<void> {
  const write = ["probe/1", "probe/2"].map(
    (name) => ({ kind: "delete", key: keys.base + name }) as const,
  );
  await transactions.commit({ compare: [], write, look: [] });
}

/** The state in which this term begins. */
async function begun(
  options: MirrorOptions,
  { rules, fence, isOtherSource }: Given,
  transactions: Transactions,
  before: LinkState | undefined,
): Promise<Begin> {
  const source = await options.source.revision({ signal: fence.signal });
  const destination = await ofDestination(transactions, options);
  const sourcePrefix = new KubePrefix(options.sourcePrefix).prefix;
  const destinationPrefix = new KubePrefix(options.destinationPrefix).prefix;
  const sides = { source, destination, sourcePrefix, destinationPrefix };
  const found = identityOf(before, sides, options.policy);
  const why = "the source went back behind what was mirrored from it";
  const identity =
    found.kind === "same" && isOtherSource ? ({ kind: "source-changed", why } as const) : found;
  if (identity.kind === "refused") throw new LinkRefused(identity.why);
  if (identity.kind === "source-changed" || identity.kind === "destination-changed") {
    options.log.warn({ why: identity.why }, "everything is compared");
  }
  const nowMs = options.clock.now();
  const kept = keptOf(before, identity.kind === "source-changed");
  const isReload = before !== undefined && before.rulesHash !== rules.hash;
  const passCause = causeOf(before, identity.kind);
  const epoch = epochFor(options, rules, kept.history);
  // Rules, keys of encryption or this program are others than when it ended: as if they had been exchanged while it ran.
  const isMadeAnew = passCause === undefined && isOfOtherEpoch(before, epoch);
  const state: LinkState = {
    ...kept,
    pass: isMadeAnew ? (kept.pass ?? reloadOf(kept.applied)) : kept.pass,
    phase: passCause === undefined ? "tail" : "copy",
    sourceClusterId: String(source.clusterId),
    destinationClusterId: String(destination.clusterId),
    rulesHash: rules.hash,
    epoch,
    rulesSinceMs: isReload ? nowMs : kept.rulesSinceMs,
    sealed: undefined,
    writtenAtMs: nowMs,
  };
  return { state, passCause, sourceRevision: source.revision };
}

interface Begin {
  readonly state: LinkState;
  readonly passCause: PassCause | undefined;
  /** Of the source, when this was found out. */
  readonly sourceRevision: bigint;
}

/** What of the last state still holds: revisions of another history do not. */
function keptOf(
  before: LinkState | undefined,
  isOtherHistory: boolean,
): Pick<LinkState, "applied" | "pass" | "history" | "rulesSinceMs" | "verifiedAtMs"> {
  const nothing = { applied: undefined, pass: undefined };
  if (before === undefined) {
    return { ...nothing, history: FIRST_HISTORY, rulesSinceMs: undefined, verifiedAtMs: undefined };
  }
  const { applied, pass, history, rulesSinceMs, verifiedAtMs } = before;
  if (isOtherHistory) return { ...nothing, history: history + 1, rulesSinceMs, verifiedAtMs };
  return { applied, pass, history, rulesSinceMs, verifiedAtMs };
}

function causeOf(
  before: LinkState | undefined,
  identity: "same" | "first" | "source-changed" | "destination-changed",
): PassCause | undefined {
  if (identity === "source-changed" || identity === "destination-changed") return identity;
  if (before?.applied === undefined && before?.pass === undefined) return "first";
  return before.phase === "copy" ? "resumed" : undefined;
}

/** What objects are made with under these rules. */
export function epochFor(options: MirrorOptions, rules: Ruleset, history: number): string {
  return epochOf({
    history,
    rulesHash: rules.hash,
    sourceEncryption: options.sourceEncryption.fingerprint,
    destinationEncryption: options.destinationEncryption.fingerprint,
    destinationPrefix: new KubePrefix(options.destinationPrefix).prefix,
  });
}

async function ofDestination(
  transactions: Transactions,
  options: MirrorOptions,
): Promise<EtcdHeader> {
  const { header } = await transactions.range({ key: new Keyspace(options.link).state });
  return header;
}

function made(
  options: MirrorOptions,
  { rules, tally }: Given,
  {
    transactions,
    books,
    keeper,
    mirroredHere,
  }: {
    readonly transactions: Transactions;
    readonly books: Books;
    readonly keeper: StateKeeper;
    readonly mirroredHere: MirroredHere | undefined;
  },
) {
  const { clock, log, policy, random, source } = options;
  const prefix = new KubePrefix(options.destinationPrefix);
  const read = transactions.read.bind(transactions);
  const destination = new DestinationView(prefix, options.destinationEncryption, read);
  const catalog = Catalog.builtin(options.sourcePrefix);
  const view = new SourceView(options.sourceEncryption, catalog, rules);
  const brake = new Brake(clock, policy.allowMassDelete);
  const parts: WriterParts = {
    ...{ clock, log, source, view, destination, transactions, books, policy, tally, brake },
    mirroredHere,
    sourcePrefix: new KubePrefix(options.sourcePrefix),
    epoch: () => keeper.state.epoch,
    freshUid: () => freshUid(random),
    isFirstCopy: () => keeper.state.phase === "copy" && keeper.state.verifiedAtMs === undefined,
    isCopying: () => keeper.state.phase === "copy",
    rulesSettledAtMs: () => (keeper.state.rulesSinceMs ?? -RULES_SETTLE_MS) + RULES_SETTLE_MS,
    hasApi: options.api !== undefined,
  };
  const writer = new Writer(parts);
  const payer = new DebtPayer(parts, writer, new ApiPayer(parts, writer, options.api));
  const pass = new Pass(parts, writer, keeper);
  return { parts, view, destination, brake, writer, payer, pass };
}
