import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { AdmissionDoor } from "../../harness/admission-door.js";
import { AuditTrail, type AuditedWrite } from "../../harness/audit-trail.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import type { NamespaceView } from "../../harness/namespace-view.js";
import { SiblingWebhook } from "../../harness/sibling-webhook.js";
import { waitFor } from "../../harness/wait-for.js";

/** The namespace controller waits for 5 s before it begins. */
const NAMESPACE_MS = 40_000;
/** The Role may go before the Services do: then their end is asked for in growing pauses, until the namespace's proves it. */
const PAUSE_MS = 10_000;
/** One sweep would not remove so many without being told to. */
const WHOLE_NAMESPACE = 12;

let bed: AdmissionBed;
let leader: FerryRun;
/** Namespaces that tests delete, each with its door; their Services go where those of `bed.src` go. */
const mortal: { readonly view: NamespaceView; readonly door: AdmissionDoor }[] = [];
const trail = new AuditTrail(inject("controlPlanes").auditLogPaths.source);

beforeAll(async () => {
  bed = await openAdmissionBed();
  for (let count = 0; count < 4; count += 1) {
    const view = await bed.namespace("source");
    mortal.push({ view, door: await bed.door(view.namespace) });
  }
  const namespaces = [bed.src, ...mortal.map(({ view }) => view)].map(({ namespace }) => namespace);
  const routes = [{ name: "all", namespaces, target: { namespace: bed.dst.namespace } }];
  leader = await bed.run({ file: { routes } });
  await bed.route(leader);
});
afterAll(async () => bed.close());
afterEach(async () => bed.install("Ignore"));

/** A namespace that nobody has deleted yet, with the leader behind its door. */
async function namespace(): Promise<(typeof mortal)[number]> {
  const next = mortal.pop();
  if (next === undefined) throw new Error("one namespace for each test");
  await next.door.route(leader);
  return next;
}

async function mirrored(view: NamespaceView, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await view.apply(slice(view.namespace, name, ["10.1.0.1"]));
    await bed.source.create(service(view.namespace, name));
  }
  for (const name of names) await bed.dst.untilAddresses(name, ["10.1.0.1"]);
  await bed.settle(leader);
  await bed.forgetWrites();
  trail.next();
}

/** Deletions of these mirrors, once they and their slices are gone. */
async function removals(...names: readonly string[]): Promise<readonly AuditedWrite[]> {
  for (const name of names) {
    await bed.dst.untilGone("Service", name);
    await bed.dst.untilAddresses(name, []);
  }
  const writes = await bed.audited(leader);
  return writes.filter(({ verb, resource }) => verb === "delete" && resource === "services");
}

/** What the leader said about it, once it did. */
async function told(view: NamespaceView, name: string): Promise<object> {
  const key = `${view.namespace}/${name}`;
  return waitFor(
    () => leader.logged("removed").find((line) => JSON.stringify(line["route"]).includes(key)),
    { what: `the removal of ${key} in the log` },
  );
}

describe("a mirror is gone in less than a second", () => {
  it.each([
    ["loses its label", "lost", { sync: null }, "not-selected"],
    ["gets another value of it", "flipped", { sync: "false" }, "not-selected"],
  ])("when its Service %s", async (_, name, labels, because) => {
    await mirrored(bed.src, name);

    await bed.as("ann").patch("Service", bed.src.namespace, name, { metadata: { labels } });
    const [removal] = await removals(name);

    const cause = trail.next().find((write) => write.name === name);
    expect(cause).toMatchObject({ verb: "patch", status: 200 });
    expect(msBetween(cause, removal)).toBeLessThan(1_000);
    expect(await told(bed.src, name)).toMatchObject({ by: "ann", because });
    await bed.src.remove("Service", name);
  });

  it("when its Service is deleted", async () => {
    await mirrored(bed.src, "deleted");

    await bed.as("ann").remove("Service", bed.src.namespace, "deleted");
    const [removal] = await removals("deleted");

    const cause = trail
      .next()
      .find(({ verb, resource }) => verb === "delete" && resource === "services");
    expect(msBetween(cause, removal)).toBeLessThan(1_000);
    expect(await told(bed.src, "deleted")).toMatchObject({ by: "ann", because: "source-deleted" });
  });
});

describe("a removal that another webhook refused", () => {
  it("keeps the mirror as it is, and the next change that is stored arrives", async () => {
    const names = ["keeps-label", "keeps-value", "keeps-all"];
    await mirrored(bed.src, ...names);
    const before = await Promise.all(names.map((name) => bed.dst.service(name)));
    const sibling = await SiblingWebhook.open(bed.source, bed.src.namespace);
    const attempts = leader.logged("admitted").length;
    const label = (name: string, sync: string | null): Promise<unknown> =>
      sibling.refused.patch("Service", bed.src.namespace, name, { metadata: { labels: { sync } } });

    const outcomes = await Promise.allSettled([
      label("keeps-label", null),
      label("keeps-value", "false"),
      sibling.refused.remove("Service", bed.src.namespace, "keeps-all"),
    ]);
    const admitted = leader.logged("admitted").slice(attempts);
    await sibling.close();
    await bed.settle(leader);
    const meanwhile = await bed.writes(leader);
    const after = await Promise.all(names.map((name) => bed.dst.service(name)));
    await bed.src.remove("Service", "keeps-all");

    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(admitted).toHaveLength(3);
    expect(meanwhile).toEqual([]);
    expect(after).toEqual(before);
    expect(await removals("keeps-all")).toHaveLength(1);
  });
});

describe("the end of a namespace", () => {
  it(
    "takes all mirrors along, however many, soon after it",
    async () => {
      const { view } = await namespace();
      const names = Array.from({ length: WHOLE_NAMESPACE }, (_, number) => `many-${number}`);
      await mirrored(view, ...names);

      await bed.as("ann").remove("Namespace", undefined, view.namespace);
      await untilEnded(view);
      const removed = await removals(...names);

      // With its last finalizer the namespace itself is gone.
      const cause = trail.next().findLast((write) => isEnd(write, view));
      const delays = removed.map((removal) => msBetween(cause, removal));
      expect(delays).toHaveLength(WHOLE_NAMESPACE);
      expect(Math.max(...delays)).toBeLessThan(PAUSE_MS);
      const by = "system:serviceaccount:kube-system:namespace-controller";
      for (const name of names) expect(await told(view, name)).toMatchObject({ by });
    },
    NAMESPACE_MS,
  );

  it.each(["Ignore", "Fail"] as const)(
    "comes while nobody answers the API server, under %s",
    async (failurePolicy) => {
      const { view, door } = await namespace();
      const name = `last-${failurePolicy.toLowerCase()}`;
      await mirrored(view, name);
      await bed.install(failurePolicy);
      door.cutOff();
      await untilUnanswered(view, failurePolicy);

      await bed.source.remove("Namespace", undefined, view.namespace);
      await untilEnded(view);

      expect(await removals(name)).toHaveLength(1);
    },
    NAMESPACE_MS,
  );

  it("is not held up by a Service whose finalizer goes while nobody answers, under Fail", async () => {
    const { view, door } = await namespace();
    await mirrored(view, "held");
    const finalizers = ["example.com/hold"];
    await view.patch("Service", "held", { metadata: { finalizers } });
    await bed.install("Fail");
    door.cutOff();
    await untilUnanswered(view, "Fail");

    await view.remove("Service", "held");
    const removed = await removals("held");
    const isStillThere = (await view.get("Service", "held")) !== undefined;
    await view.patch("Service", "held", { metadata: { finalizers: null } });

    expect(isStillThere).toBe(true);
    expect(removed).toHaveLength(1);
    await view.untilGone("Service", "held");
  });
});

/** Resolves when the API server has the configuration: under Fail it refuses what it cannot ask about. */
async function untilUnanswered(view: NamespaceView, failurePolicy: string): Promise<void> {
  const path = `/api/v1/namespaces/${view.namespace}/services?dryRun=All`;
  const wanted = failurePolicy === "Fail" ? 500 : 201;
  await waitFor(
    async () => {
      const object = service(view.namespace, "is-asked");
      return (await bed.source.request("POST", path, object)).status === wanted;
    },
    { what: `${failurePolicy} to be in force` },
  );
}

async function untilEnded({ namespace }: NamespaceView): Promise<void> {
  await waitFor(
    async () => (await bed.source.get("Namespace", undefined, namespace)) === undefined,
    {
      what: `the end of ${namespace}`,
      timeoutMs: NAMESPACE_MS,
    },
  );
}

function isEnd(write: AuditedWrite, { namespace }: NamespaceView): boolean {
  return write.resource === "namespaces/finalize" && write.name === namespace;
}

/** From the source's answer to the destination's; NaN, which is below no limit, when one of them is missing. */
function msBetween(cause: AuditedWrite | undefined, effect: AuditedWrite | undefined): number {
  return (effect?.answeredMs ?? Number.NaN) - (cause?.answeredMs ?? Number.NaN);
}
