/**
 * A watch that survives its stream.
 *
 * 1. A stream is opened at the revision that is wanted next: at first what the caller said, then one after the last event
 *    that was handed over, or after a progress that can be trusted.
 * 2. Nothing else moves that revision. The `created` answer and the batches of a watch that catches up carry the store's
 *    newest revision in their header; who resumes from that (npm etcd3 does) loses what was still to come.
 * 3. Fragments are put together first: half a revision is never handed over, and never resumed behind.
 * 4. A stream that is quiet is asked for progress; one that does not answer is given up, even if its connection looks alive.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { Random } from "../../src/ports/random.js";
import type { Calls } from "./calls.js";
import type { Member } from "./endpoints.js";
import { EtcdError, type EtcdWatchOptions, WatchCompacted, type WatchItem } from "./etcd.js";
import { CallFailed } from "./connection.js";
import { etcdError, grpcFailure, wantsNewToken } from "./errors.js";
import { isProgressTrusted } from "./progress-trust.js";
import { statusRequest, watchCreateRequest, watchProgressRequest } from "./requests.js";
import { statusResponse, type WatchResponse, watchResponse } from "./responses.js";
import { Resume } from "./watch-resume.js";
import { QuietStream } from "./watch-stream.js";

export interface WatchDeps {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onOddKey: () => void;
}

/** First pause after a stream broke, ms; doubled up to the longest, and half of each is chance. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** @throws WatchCompacted, and EtcdError for what another try cannot mend */
export async function* watch(
  options: EtcdWatchOptions,
  deps: WatchDeps,
): AsyncGenerator<WatchItem, void, undefined> {
  const { signal } = options;
  const resume = new Resume(options.from);
  const progress: Progress = { resume, opened: false, failures: 0, isDenied: false };
  while (!signal.aborted) {
    try {
      yield* oneStream(options, progress, deps);
    } catch (error) {
      if (!isMendable(error)) throw error;
      deps.log.warn({ err: error, revision: progress.resume.next }, "watch stream broke");
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** progress.failures);
    progress.failures++;
    await deps.clock.sleep(pauseMs * (0.5 + deps.random.next() / 2), signal);
  }
}

/** What outlives a stream. */
interface Progress {
  readonly resume: Resume;
  /** A stream was open before: the next one is a reconnection. */
  opened: boolean;
  /** Streams in a row that did not open. */
  failures: number;
  /** The last one was not permitted, whether or not its token was too old. */
  isDenied: boolean;
}

/** On the best endpoint, from where the watch is, until it breaks. */
async function* oneStream(
  { range, signal }: EtcdWatchOptions,
  progress: Progress,
  deps: WatchDeps,
): AsyncGenerator<WatchItem, void, undefined> {
  const { endpoints, identity, token } = deps.calls.deps;
  const { resume } = progress;
  const member = endpoints.inOrder()[0];
  if (member === undefined) return;
  let used: string | undefined;
  try {
    const trusted = await isTrusted(member, deps, signal);
    const decode = (buffer: Buffer): WatchResponse => watchResponse(buffer, deps.onOddKey);
    used = await token.on(member);
    const stream = member.calls.stream("Watch/Watch", decode, used);
    const askProgress = trusted ? watchProgressRequest : undefined;
    const quiet = new QuietStream(stream, { clock: deps.clock, askProgress, signal });
    resume.restart();
    for await (const response of quiet.responses(watchCreateRequest(range, resume.next))) {
      identity.check(response.header, member.address);
      if (response.canceled) throw cancelled(response);
      if (response.created && progress.opened) yield { kind: "reconnected" };
      if (response.created) {
        progress.opened = true;
        progress.failures = 0;
        progress.isDenied = false;
        endpoints.worked(member);
      }
      const item = resume.take(response, trusted);
      if (item !== undefined) yield item;
    }
  } catch (error) {
    if (signal.aborted) return; // our own cancellation, which says nothing of the endpoint
    throw broken(error, { member, token: used, progress }, deps);
  }
  if (!signal.aborted) endpoints.failed(member, "unreachable"); // the server ended it: it goes down
}

/**
 * Asked anew for each stream: a server may have been replaced by an older one. With authentication etcd tells its status to
 * users with the role root only; progress of a version that is not told is not trusted.
 */
async function isTrusted(member: Member, deps: WatchDeps, signal: AbortSignal): Promise<boolean> {
  try {
    const { version } = await deps.calls.on(member, {
      method: "Maintenance/Status",
      effect: "read",
      request: statusRequest(),
      decode: (buffer) => statusResponse(buffer, member.address),
      signal,
    });
    return isProgressTrusted(version);
  } catch (error) {
    if (error instanceof EtcdError && error.kind === "permission") return false;
    throw error;
  }
}

/** Why the server ended the watch: compaction has no words, only a revision. */
function cancelled({ compactRevision, cancelReason }: WatchResponse): Error {
  if (compactRevision > 0n) return new WatchCompacted(compactRevision);
  return new CallFailed(grpcFailure(new Error(cancelReason)));
}

interface Attempt {
  readonly member: Member;
  readonly token: string | undefined;
  readonly progress: Progress;
}

/**
 * What the loop hears; an endpoint that cannot be used is put last, a token that is not taken is dropped. Servers before 3.4.22 and
 * 3.5.6 call a token that is too old a denial too (etcd#12385): the first one is answered with a new token, only a second is believed.
 */
function broken(
  error: unknown,
  { member, token: used, progress }: Attempt,
  deps: WatchDeps,
): unknown {
  if (error instanceof EtcdError || error instanceof WatchCompacted) return error;
  const failure = error instanceof CallFailed ? error.failure : grpcFailure(error);
  const { token, endpoints } = deps.calls.deps;
  const meaning = etcdError(failure, "read", member.address);
  const isFirstDenial = meaning.kind === "permission" && used !== undefined && !progress.isDenied;
  if (isFirstDenial) progress.isDenied = true;
  if (isFirstDenial || wantsNewToken(failure)) {
    token.refused(used);
    return new EtcdError("unavailable", `a new token is needed (${member.address})`);
  }
  endpoints.failed(member, "unreachable");
  return meaning;
}

function isMendable(error: unknown): boolean {
  return error instanceof EtcdError && (error.kind === "unavailable" || error.kind === "exhausted");
}
