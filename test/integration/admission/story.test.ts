import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { FerryRun, LogLine } from "../../harness/ferry-run.js";
import { service } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: AdmissionBed;

beforeAll(async () => {
  bed = await openAdmissionBed();
});
afterAll(async () => bed.close());
afterEach(async () => bed.stopRuns());

/** What the log says of one change, oldest first: "admitted ann", "applied ann". */
function story(changeId: string, ...runs: readonly FerryRun[]): readonly string[] {
  return runs
    .flatMap((run) => run.records)
    .filter((record) => record["changeId"] === changeId)
    .toSorted((a, b) => Date.parse(String(a["time"])) - Date.parse(String(b["time"])))
    .map(({ outcome, by }) => `${String(outcome)} ${String(by)}`);
}

async function admitted(run: FerryRun, name: string, operation: string): Promise<LogLine> {
  const isIt = (line: LogLine): boolean =>
    line["service"] === `${bed.src.namespace}/${name}` && line["operation"] === operation;
  return waitFor(() => run.logged("admitted").find(isIt), { what: `${operation} of ${name}` });
}

describe("the story of a change", () => {
  it("joins admission, hand-off, write and mirror on one id, whoever it was that asked", async () => {
    const leader = await bed.run();
    const follower = await bed.launch();
    await bed.route(follower);
    const { namespace } = bed.src;

    await bed.as("ann").create(service(namespace, "web"));
    const mirror = await bed.dst.untilService("web");
    await bed.as("bob").patch("Service", namespace, "web", { spec: { ports: [{ port: 81 }] } });
    await bed.dst.untilService("web", ({ metadata: { annotations } }) => {
      return annotations?.["svc-ferry.io/changed-by"] === "bob";
    });
    await bed.as("eve").remove("Service", namespace, "web");
    await bed.dst.untilGone("Service", "web");
    await leader.untilLogged("removed");

    const created = String((await admitted(follower, "web", "create"))["changeId"]);
    const updated = String((await admitted(follower, "web", "update"))["changeId"]);
    const deleted = String((await admitted(follower, "web", "delete"))["changeId"]);
    expect(mirror.metadata.annotations).toMatchObject({
      "svc-ferry.io/change-id": created,
      "svc-ferry.io/changed-by": "ann",
    });
    expect(story(created, leader, follower)).toEqual(["admitted ann", "queued ann", "applied ann"]);
    expect(story(updated, leader, follower)).toEqual(["admitted bob", "queued bob", "applied bob"]);
    expect(story(deleted, leader, follower)).toEqual(["admitted eve", "queued eve", "removed eve"]);
  });

  it("says who took the label away, by the stamp of what is left", async () => {
    const leader = await bed.run();
    await bed.route(leader);
    const { namespace } = bed.src;
    await bed.as("ann").create(service(namespace, "shed"));
    await bed.dst.untilService("shed");

    await bed
      .as("bob")
      .patch("Service", namespace, "shed", { metadata: { labels: { sync: null } } });
    await bed.dst.untilGone("Service", "shed");

    const [removed] = await leader.untilLogged("removed");
    const update = await admitted(leader, "shed", "update");
    expect(removed).toMatchObject({
      by: "bob",
      changeId: update["changeId"],
      because: "not-selected",
    });
    await bed.src.remove("Service", "shed");
  });

  it("never gives what was done past the webhook to the person of the last stamp", async () => {
    const leader = await bed.run();
    await bed.route(leader);
    const { namespace } = bed.src;
    await bed.as("ann").create(service(namespace, "past"));
    await bed.dst.untilService("past");

    bed.cutOff();
    await bed.as("bob").patch("Service", namespace, "past", { spec: { ports: [{ port: 81 }] } });
    const mirror = await bed.dst.untilService("past", ({ metadata: { annotations } }) => {
      return annotations?.["svc-ferry.io/changed-by"] === undefined;
    });
    const isUpdate = (line: LogLine): boolean => line["operation"] === "update";
    const applied = await waitFor(() => leader.logged("applied").find(isUpdate), { what: "it" });

    expect(mirror.metadata.annotations).not.toHaveProperty("svc-ferry.io/change-id");
    expect(applied["by"]).toMatch(/^unknown \(last admitted: [0-9a-f]+ by ann\)$/);
    expect(await leader.metric("svc_ferry_changes_not_admitted_total", { stamp: "stale" })).toBe(1);
    await bed.src.remove("Service", "past");
  });

  it("nor what was done and undone past it", async () => {
    const leader = await bed.run();
    await bed.route(leader);
    const { namespace } = bed.src;
    await bed.as("ann").create(service(namespace, "back", { spec: { ports: [{ port: 80 }] } }));
    await bed.dst.untilService("back");
    bed.cutOff();
    for (const port of [81, 80]) {
      await bed.src.patch("Service", "back", { spec: { ports: [{ port }] } });
      await bed.dst.untilService("back", ({ spec }) => JSON.stringify(spec).includes(`${port}`));
    }

    const mirror = await bed.dst.service("back");

    expect(mirror.metadata.annotations).not.toHaveProperty("svc-ferry.io/changed-by");
    await bed.src.remove("Service", "back");
  });

  it("cannot be forged by a name with line breaks and escape sequences", async () => {
    const leader = await bed.run();
    await bed.route(leader);
    const { namespace } = bed.src;
    const evil = "x\n2026-01-01 00:00:00 [pod] applied \u001b[31m\u2028";

    await bed.source.request(
      "POST",
      `/api/v1/namespaces/${namespace}/services`,
      service(namespace, "forged", { annotations: { "svc-ferry.io/changed-by": evil } }),
    );
    await bed.dst.untilService("forged");

    const line = await admitted(leader, "forged", "create");
    const mirror = await bed.dst.service("forged");
    expect(line["by"]).toBe("admin");
    expect(mirror.metadata.annotations?.["svc-ferry.io/changed-by"]).toBe("admin");
    await bed.src.remove("Service", "forged");
  });
});
