/** What holds for either etcd: it answers, it is an etcd that will do, and nothing is wrong with it. */
import { fail, ok, skip, warn, type Check, type Outcome } from "../../src/doctor/check.js";
import { judgeMembers, takesTransactions } from "../etcd/capability.js";
import { EtcdError, type Etcd, type MemberStatus } from "../etcd/etcd.js";
import { isProgressTrusted } from "../etcd/progress-trust.js";
import { etcdCheck, type EtcdSubject } from "./etcd-subject.js";
import { rightsCheck } from "./rights-check.js";

/** Minor releases of etcd that the tests run on, oldest and newest. */
const TESTED = { from: 4, to: 6 } as const;

export function etcdChecks(subject: EtcdSubject): readonly Check[] {
  return [
    etcdCheck(subject, {
      id: "etcd",
      after: [],
      ask: (etcd, signal) => reach(etcd, subject, signal),
    }),
    etcdCheck(subject, {
      id: "etcd-version",
      after: ["etcd"],
      ask: (etcd, signal) =>
        ofMembers(etcd, signal, (members) => version(etcd.name, members, subject)),
    }),
    etcdCheck(subject, {
      id: "etcd-health",
      after: ["etcd"],
      ask: (etcd, signal) => ofMembers(etcd, signal, (members) => health(members, subject)),
    }),
    rightsCheck(subject),
  ];
}

/** Several operations in one transaction: what every write of the mirror is. Nothing is written. */
export function transactionsCheck(subject: EtcdSubject): Check {
  return etcdCheck(subject, {
    id: "etcd-transactions",
    after: ["etcd", "etcd-rights"],
    ask: async (etcd, signal) => {
      if (await takesTransactions(etcd, { signal })) {
        return ok("it takes transactions of several operations");
      }
      const text = "the mirror needs etcd itself: kine and its like refuse what it writes with";
      return fail("it takes no transactions of several operations", { text }, "unsupported");
    },
  });
}

/**
 * With authentication etcd tells its members' status to users with the role root only.
 * @throws EtcdError
 */
export async function ofMembers(
  etcd: Etcd,
  signal: AbortSignal,
  judge: (members: readonly MemberStatus[]) => Outcome | Promise<Outcome>,
): Promise<Outcome> {
  let members: readonly MemberStatus[];
  try {
    members = await etcd.members({ signal });
  } catch (error) {
    if (!(error instanceof EtcdError) || error.kind !== "permission") throw error;
    return skip("etcd tells it to users with the role root only", {
      text: "ask with such a user's flags, or look with etcdctl endpoint status",
    });
  }
  return judge(members);
}

async function reach(etcd: Etcd, { access }: EtcdSubject, signal: AbortSignal): Promise<Outcome> {
  await answered(etcd, signal);
  const outcome = await ofMembers(etcd, signal, (members) => {
    const answering = members.map(({ endpoint }) => endpoint);
    const silent = access.endpoints.filter(
      (endpoint) => !answering.includes(endpoint.replace(/^https?:\/\//, "")),
    );
    const learners = members.filter(({ isLearner }) => isLearner);
    const message = `${answering.length} of ${access.endpoints.length} endpoints answer`;
    if (silent.length > 0) {
      const text =
        "see that these members run and can be reached: the mirror goes on with the rest";
      return warn(`${message}, not: ${silent.join(", ")}`, { text });
    }
    if (learners.length > 0) {
      const names = learners.map(({ endpoint }) => endpoint).join(", ");
      const text = "a learner answers nothing that the mirror asks: leave it out of the endpoints";
      return warn(`${message}, learners among them: ${names}`, { text });
    }
    return ok(message);
  });
  return outcome.result === "skip" ? ok("it answers") : outcome;
}

/** Whoever may not read has reached it all the same: the rights are a check of their own. */
async function answered(etcd: Etcd, signal: AbortSignal): Promise<void> {
  try {
    await etcd.revision({ signal });
  } catch (error) {
    if (!(error instanceof EtcdError) || error.kind !== "permission") throw error;
  }
}

function version(name: string, members: readonly MemberStatus[], { access }: EtcdSubject): Outcome {
  const judged = judgeMembers(name, members);
  if (judged.kind === "refused") {
    return fail(
      judged.message,
      { text: "the mirror needs etcd itself, 3.4 or newer" },
      "unsupported",
    );
  }
  const text = `etcd ${judged.version}`;
  if (access.name === "source" && !isProgressTrusted(judged.version)) {
    return warn(
      `${text} may say too early that everything has been told: while nothing changes, the checkpoint stands still`,
      { text: "upgrade it to 3.4.31, 3.5.13 or newer" },
    );
  }
  const minor = Number(/^3\.(\d+)/.exec(judged.version)?.[1]);
  return minor > TESTED.to
    ? warn(`${text} is newer than what was tested: 3.${TESTED.from} to 3.${TESTED.to}`)
    : ok(text);
}

/** Alarms stop the writing of a destination; of a source they say that it will soon stand still. */
function health(members: readonly MemberStatus[], { access }: EtcdSubject): Outcome {
  const complaints = members.flatMap(({ endpoint, errors }) =>
    errors.map((error) => `${endpoint}: ${error.trim()}`),
  );
  if (complaints.length === 0) return ok("no alarms");
  const message = complaints.join("; ");
  const remedy = {
    text: "compact and defragment, then disarm the alarm; of a member without a leader see its log",
    command: "etcdctl alarm list",
  };
  if (access.name === "source") return warn(message, remedy);
  return fail(message, remedy, message.includes("NOSPACE") ? "no-space" : undefined);
}
