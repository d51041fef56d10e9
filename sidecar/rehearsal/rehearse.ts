/**
 * Lets a mirror make its whole pass on an etcd that it cannot write, and tells what it would have done: `plan` and `verify` are
 * this and nothing else.
 */
import type { Clock } from "../../src/ports/clock.js";
import { decodeDebt, type Debt } from "../debts/debt.js";
import { prefixEnd, type Etcd, type Txn } from "../etcd/etcd.js";
import { decodeRecord } from "../ledger/record.js";
import { Keyspace, KubePrefix } from "../link/keyspace.js";
import type { LinkRunner, LinkRunnerParts } from "../link/link-runner.js";
import { decodeState, encodeState, type LinkState } from "../link/state.js";
import { CRDS, NAMESPACES } from "../view/source-view.js";
import { changesOf, type Change } from "./changes.js";
import { RehearsedEtcd } from "./rehearsed-etcd.js";

export interface Rehearsal {
  readonly link: string;
  readonly destinationPrefix: string;
  readonly parts: LinkRunnerParts;
  readonly makeLink: (parts: LinkRunnerParts) => LinkRunner;
  readonly clock: Clock;
  /** The link as it really is; undefined: it has never written. */
  readonly state: LinkState | undefined;
  /** Called for each change as it is found; an object that is looked at twice is told once. */
  readonly onChange: (change: Change) => void;
}

export interface Rehearsed {
  /** Objects that would be ours in the end. */
  readonly owned: number;
  readonly sourceRevisions: readonly [first: bigint, last: bigint];
  readonly destinationRevision: bigint;
  /** What would be owed in the end, by path. */
  readonly debts: ReadonlyMap<string, Debt>;
}

/** It could not be carried through. */
export class RehearsalFailed extends Error {
  override readonly name = "RehearsalFailed";
}

/** What is written is compared by whatever is written into it. */
const KEPT = [NAMESPACES, CRDS];
/** Between two looks at how it goes. */
const LOOK_MS = 200;
/** Attempts of the mirror, each of which begins anew: a source that is compacted thrice meanwhile is a hopeless case. */
const MAX_FAILURES = 3;
/** A mirror waits for ever, a person does not. */
const MAX_PAUSE_MS = 30_000;
const PAGE = 1_000;

/** @throws RehearsalFailed, EtcdError; what the mirror throws when a person has to decide */
export async function rehearse(rehearsal: Rehearsal, signal: AbortSignal): Promise<Rehearsed> {
  const { parts, link, clock, state, onChange } = rehearsal;
  const keys = new Keyspace(link);
  const places = { keys, prefix: new KubePrefix(rehearsal.destinationPrefix) };
  const done = new AbortController();
  const owed = new Set<string>();
  const destination = new RehearsedEtcd({
    etcd: parts.destination,
    keys,
    keeps: (key) => KEPT.some((path) => key.startsWith(places.prefix.key(path))),
    onWrite: (txn) => {
      if (done.signal.aborted) return;
      for (const change of changesOf(txn, places)) {
        if (!owed.has(change.path)) onChange(change);
        if (touchesDebt(txn, keys, change.path)) owed.add(change.path);
      }
      if (endsPass(txn, keys)) done.abort();
    },
  });
  if (state !== undefined) destination.pretend(keys.state, encodeState(asIfNew(state)), 1n);
  const first = await parts.source.revision({ signal });
  const runner = rehearsal.makeLink({ ...parts, destination });
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const running = runner.run(until);
  const watching = watchOver({ runner, clock, done: done.signal }, until);
  try {
    await Promise.race([running, watching]);
    signal.throwIfAborted();
    const { owned } = runner.status;
    const last = await parts.source.revision({ signal });
    const debts = await debtsOf(destination, keys, signal);
    const { revision } = await parts.destination.revision({ signal });
    return {
      owned,
      sourceRevisions: [first.revision, last.revision],
      destinationRevision: revision,
      debts,
    };
  } finally {
    stop.abort();
    await Promise.allSettled([running, watching]);
  }
}

/** A link that has never applied anything makes a pass over everything, and compares what is there. */
function asIfNew(state: LinkState): LinkState {
  return { ...state, phase: "copy", applied: undefined, pass: undefined };
}

function endsPass(txn: Txn, keys: Keyspace): boolean {
  return txn.then.some(
    (op) => op.kind === "put" && op.key === keys.state && decodeState(op.value).phase === "tail",
  );
}

function touchesDebt({ then }: Txn, keys: Keyspace, path: string): boolean {
  return then.some(({ key, kind }) => key === keys.debt(path) && kind === "put");
}

interface Watched {
  readonly runner: LinkRunner;
  readonly clock: Clock;
  readonly done: AbortSignal;
}

/** Resolves when the pass is complete, or `signal` aborts. @throws RehearsalFailed */
async function watchOver({ runner, clock, done }: Watched, signal: AbortSignal): Promise<void> {
  const failures = new Set<number>();
  while (!done.aborted && !signal.aborted) {
    const { lastError, paused } = runner.status;
    if (lastError !== undefined) failures.add(lastError.atMs);
    if (lastError !== undefined && failures.size >= MAX_FAILURES) {
      throw new RehearsalFailed(`${lastError.message} (${lastError.code})`);
    }
    if (paused !== undefined && clock.now() - paused.sinceMs > MAX_PAUSE_MS) {
      throw new RehearsalFailed(`${paused.message} (${paused.why})`);
    }
    await clock.sleep(LOOK_MS, AbortSignal.any([done, signal]));
  }
}

async function debtsOf(
  etcd: Etcd,
  keys: Keyspace,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Debt>> {
  const debts = new Map<string, Debt>();
  const rangeEnd = prefixEnd(keys.debtPrefix);
  for (let key = keys.debtPrefix; ;) {
    const { kvs, more } = await etcd.range({ key, rangeEnd, limit: PAGE }, { signal });
    for (const kv of kvs) {
      const path = kv.key.slice(keys.debtPrefix.length);
      const debt = decodeDebt(kv.value);
      if (!(await isDoneByApi(etcd, { keys, path, debt }, signal))) debts.set(path, debt);
    }
    const last = kvs.at(-1);
    if (!more || last === undefined) return debts;
    key = `${last.key}\0`;
  }
}

/**
 * What goes through the API server is owed anew at each pass that compares, and found unchanged by that server. Nobody asks it
 * here: what its record says was made of the same revision counts as done.
 */
async function isDoneByApi(
  etcd: Etcd,
  { keys, path, debt }: { readonly keys: Keyspace; readonly path: string; readonly debt: Debt },
  signal: AbortSignal,
): Promise<boolean> {
  if (debt.code !== "via-api") return false;
  const [kv] = (await etcd.range({ key: keys.own(path) }, { signal })).kvs;
  if (kv === undefined) return false;
  const record = decodeRecord(kv.value);
  return record.via === "api" && record.sourceRevision === debt.sourceRevision;
}
