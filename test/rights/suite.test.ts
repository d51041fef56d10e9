/** Behind all integration tests: what API servers wrote down of svc-ferry's accounts, against what the roles grant. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { granted, installedObjects } from "../fixtures/installed-objects.js";
import { type Access, AccessLog, spelled } from "../harness/access-log.js";
import { ACCOUNT_NAMES, type Role } from "../harness/granted-rights.js";

const ROLES = ["source", "destination"] as const;

/** What tests make admission refuse on purpose: a mirror, and an Event, in a namespace that is being deleted. */
const PROVOKED: ReadonlySet<string> = new Set(["create /services", "create /events"]);

const GET_NAMESPACE = "get /namespaces of the cluster";

const run = inject("integrationRun");
let asked: Readonly<Record<Role, readonly Access[]>>;

beforeAll(() => {
  asked = { source: accesses("source"), destination: accesses("destination") };
});

/** As either control plane of the shared pair logged them, and those whose log was kept: there the other account has no log. */
function accesses(role: Role): readonly Access[] {
  const { auditLogPaths, keptLogs } = run.controlPlanes;
  const isOurs = (user: string): boolean =>
    user.startsWith("system:serviceaccount:") && user.endsWith(`:${ACCOUNT_NAMES[role]}`);
  const shared = Object.values(auditLogPaths).map((path) => new AccessLog(path, isOurs));
  const kept = readdirSync(keptLogs)
    .filter((name) => name.startsWith(`${role}-`) && name.endsWith(".jsonl"))
    .map((name) => new AccessLog(join(keptLogs, name)));
  return [...shared, ...kept].flatMap((log) => log.all());
}

describe("the roles that are installed, over all integration tests", () => {
  it.each(ROLES)("let svc-ferry do everything that it tries in the %s", (role) => {
    const gone = goneNamespaces(asked[role]);

    const refused = asked[role].filter(({ authorized }) => !authorized);

    const unforeseen = refused.filter(({ namespace = "" }) => !gone.has(namespace));
    expect([...new Set(unforeseen.map(described))]).toEqual([]);
  });

  it.each(ROLES)("are enough in the %s, where admission refuses what tests provoke", (role) => {
    const refused = asked[role].filter(({ status, authorized }) => status === 403 && authorized);

    expect(refused.map(spelled).filter((right) => !PROVOKED.has(right))).toEqual([]);
  });

  it.runIf(run.isWhole).each(ROLES)("grant nothing in the %s that no test uses", (role) => {
    const used = new Set(asked[role].map(spelled));

    const unused = granted(installedObjects(`manifests/${role}`))
      .map(spelled)
      .filter((right) => !used.has(right));

    expect([...new Set(unused)]).toEqual([]);
  });
});

/** Namespaces that svc-ferry found deleted when it asked: the Roles in them, by which it had looked into them, went as well. */
function goneNamespaces(all: readonly Access[]): ReadonlySet<string> {
  const found = all.filter((access) => spelled(access) === GET_NAMESPACE && access.status === 404);
  return new Set(found.map(({ name = "" }) => name));
}

function described(access: Access): string {
  const { user, namespace = "", name = "" } = access;
  return `${user}: ${spelled(access)} ${namespace}/${name}`;
}
