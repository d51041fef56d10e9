/** What the link's books in the destination say: whether a mirror that starts now will do its work. */
import { fail, ok, warn, type Check, type Outcome } from "../../src/doctor/check.js";
import type { Clock } from "../../src/ports/clock.js";
import type { MirrorConfig } from "../../src/config/mirror-config.js";
import { rfc3339 } from "../../src/ports/timestamps.js";
import { LinkBooks } from "../commands/link-books.js";
import { whyNotBoth } from "../etcd/capability.js";
import { prefixEnd, type Etcd } from "../etcd/etcd.js";
import { identityOf } from "../link/identity.js";
import type { LinkState } from "../link/state.js";
import { etcdKey, findingOf, type EtcdSubject } from "./etcd-subject.js";

/** Moments in the books (since when rules stand, when a uid was removed) are compared with this host's clock. */
const SKEW_MS = 60_000;

export interface LinkSubjects {
  readonly source: EtcdSubject;
  readonly destination: EtcdSubject;
  readonly config: Pick<MirrorConfig, "link" | "writing">;
  readonly clock: Clock;
}

export function linkChecks(subjects: LinkSubjects): readonly Check[] {
  const { source, destination, config } = subjects;
  const both = [source, destination].flatMap((one) =>
    ["etcd", "etcd-rights"].map((id) => etcdKey(one, id)),
  );
  const common = { section: "link", subject: config.link, pre: true, needs: both };
  const check = (id: string, ask: (signal: AbortSignal) => Promise<Outcome>): Check => ({
    ...common,
    id,
    run: (signal) => findingOf(() => ask(signal)),
  });
  return [
    check("same-etcd", (signal) => sameEtcd(subjects, signal)),
    check("link", (signal) => link(subjects, signal)),
    ...(config.writing.cold ? [check("dst-cold", (signal) => cold(subjects, signal))] : []),
  ];
}

async function sameEtcd(
  { source, destination }: LinkSubjects,
  signal: AbortSignal,
): Promise<Outcome> {
  const side = async ({ open, access }: EtcdSubject) => {
    const { clusterId } = await (await open()).revision({ signal });
    return { clusterId, prefix: `${access.kubePrefix}/` };
  };
  const [from, to] = await Promise.all([side(source), side(destination)]);
  const why = whyNotBoth(from, to);
  if (why !== undefined) {
    return fail(why, {
      text: "see --source-endpoints and --dest-endpoints, or give them other prefixes",
    });
  }
  return ok(from.clusterId === to.clusterId ? "one etcd, other prefixes" : "two etcds");
}

async function link(
  { source, destination, config, clock }: LinkSubjects,
  signal: AbortSignal,
): Promise<Outcome> {
  const etcd = await destination.open();
  const books = new LinkBooks(etcd, config.link);
  const state = (await books.state({ signal }))?.state;
  const holder = await books.holder({ signal });
  const held = holder === undefined ? "no mirror of it runs" : `written by ${holder}`;
  if (state === undefined) return ok(`it has never written here; ${held}`);
  if (state.phase === "sealed") return sealed(state);
  const changed = await identity(
    state,
    { source: await source.open(), etcd, config, destination, of: source },
    signal,
  );
  if (changed !== undefined) return changed;
  const aheadMs = state.writtenAtMs - clock.now();
  if (aheadMs > SKEW_MS) {
    return warn(
      `its books were written ${Math.round(aheadMs / 1_000)} s from now: the clocks of this host and of the mirror's differ`,
      {
        text: "let both hosts follow NTP: five minutes of changed rules are counted by these clocks",
      },
    );
  }
  return ok(`applied to ${state.applied?.toString() ?? "none yet"}; ${held}`);
}

function sealed({ sealed: seal }: LinkState): Outcome {
  const who = seal === undefined ? "" : ` by ${seal.by} at ${rfc3339(seal.atMs)}`;
  return warn(`it is sealed${who}: a mirror writes nothing`, {
    text: "docs/runbook-mirror.md says when and how a sealed link goes on",
    command: "svc-ferry mirror resume --i-lost-the-destinations-changes",
  });
}

interface Identified extends Pick<LinkSubjects, "config" | "destination"> {
  readonly source: Etcd;
  readonly etcd: Etcd;
  readonly of: EtcdSubject;
}

/** undefined: both are the clusters that the books are about. */
async function identity(
  state: LinkState,
  { source, etcd, config, destination, of }: Identified,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const sides = {
    source: await source.revision({ signal }),
    destination: await etcd.revision({ signal }),
    sourcePrefix: `${of.access.kubePrefix}/`,
    destinationPrefix: `${destination.access.kubePrefix}/`,
  };
  const { acceptNewDestination } = config.writing;
  const found = identityOf(state, sides, { acceptNewDestination });
  switch (found.kind) {
    case "first":
    case "same":
      return undefined;
    case "refused":
      return fail(found.why, { text: "see that --dest-endpoints are those of this link" });
    case "source-changed":
    case "destination-changed":
      return warn(`${found.why}: the next mirror compares everything`, {
        text: "if it is not meant so, see the endpoints before it starts",
      });
  }
}

/** An API server writes its address below `masterleases/`: several objects in one transaction would break its watches. */
async function cold({ destination }: LinkSubjects, signal: AbortSignal): Promise<Outcome> {
  const key = `${destination.access.kubePrefix}/masterleases/`;
  const range = { key, rangeEnd: prefixEnd(key), limit: 1, keysOnly: true };
  const { kvs } = await (await destination.open()).range(range, { signal });
  const [first] = kvs;
  if (first === undefined) return ok("no API server runs there, as --dest-cold says");
  return warn(`--dest-cold, and an API server runs there: ${first.key}`, {
    text: "leave the flag out: the mirror goes on as for a live destination, and that API server should be restarted",
  });
}
