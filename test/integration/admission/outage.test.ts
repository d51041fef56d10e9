import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../controlplane/free-port.js";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import { service } from "../../harness/manifests.js";

const folder = mkdtempSync(join(tmpdir(), "svc-ferry-outage-"));
let bed: AdmissionBed;

beforeAll(async () => {
  bed = await openAdmissionBed();
});
afterAll(async () => {
  await bed.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  bed.cutOff();
  await bed.install("Ignore");
  await bed.stopRuns();
});

describe("while nobody answers the API server", () => {
  it("users are not blocked under Ignore, and all syncs through the watch", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "before"));
    const leader = await bed.run();
    await bed.route(leader);
    await bed.dst.untilService("before");

    bed.cutOff();
    await bed.source.create(service(namespace, "during"));
    await bed.dst.untilService("during");
    await bed.src.patch("Service", "before", { spec: { ports: [{ port: 81 }] } });
    await bed.dst.untilService("before", ({ spec }) => JSON.stringify(spec).includes("81"));
    await bed.src.remove("Service", "during");
    await bed.dst.untilGone("Service", "during");

    const counted = await leader.metric("svc_ferry_changes_not_admitted_total");
    expect(counted).toBeGreaterThanOrEqual(2);
    await bed.src.remove("Service", "before");
  });

  it("only labelled Services are blocked under Fail, and their removal is not", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "labelled"));
    await bed.install("Fail");

    const [labelled, plain] = await Promise.all(
      [{ sync: "true" }, { app: "web" }].map((labels, index) =>
        bed.source.request(
          "POST",
          `/api/v1/namespaces/${namespace}/services`,
          service(namespace, `new-${index}`, { labels }),
        ),
      ),
    );
    const configMap = await bed.source.request(
      "POST",
      `/api/v1/namespaces/${namespace}/configmaps`,
      {
        metadata: { name: "unrelated" },
      },
    );
    await bed.src.remove("Service", "labelled");

    expect(labelled?.status).toBe(500);
    expect(JSON.stringify(labelled?.body)).toContain("validate.svc-ferry.io");
    expect([plain?.status, configMap.status]).toEqual([201, 201]);
    expect(await bed.src.get("Service", "labelled")).toBeUndefined();
  });

  it("nothing unrelated breaks before the first replica is there, and what existed before is synced", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "older"));
    await bed.source.create(service(namespace, "plain", { labels: {} }));

    const leader = await bed.run();
    await bed.route(leader);
    await bed.dst.untilService("older");
    const edited = await bed.src.patch("Service", "older", {
      metadata: { annotations: { note: "innocent" } },
    });

    expect(Object.keys(edited.metadata.annotations ?? {})).toEqual(["note"]);
    expect(await bed.dst.get("Service", "plain")).toBeUndefined();
    await bed.src.remove("Service", "older");
  });

  it("labelled Services can be created under Fail by replicas that never reached a destination, and the other one keeps syncing", async () => {
    const kubeconfig = join(folder, "kubeconfig.yaml");
    writeKubeconfig(kubeconfig, [
      await bed.access("source"),
      await bed.access("destination"),
      {
        ...(await bed.access("destination")),
        context: "dead",
        server: `https://127.0.0.1:${await freePort()}`,
      },
    ]);
    const { namespace } = bed.src;
    const target = { namespace: bed.dst.namespace };
    const route = { namespaces: [namespace], target };
    await bed.install("Fail");

    const run = await bed.launch({
      flags: { kubeconfig },
      file: {
        destinations: [{ context: "destination" }, { context: "dead" }],
        routes: [
          { ...route, name: "alive", destination: "destination" },
          { ...route, name: "dead", destination: "dead" },
        ],
      },
    });
    await bed.route(run);
    const answer = await bed.source.request(
      "POST",
      `/api/v1/namespaces/${namespace}/services`,
      service(namespace, "born"),
    );
    await bed.dst.untilService("born");

    expect(answer.status).toBe(201);
    expect(answer.warnings).toEqual([expect.stringContaining("cannot tell yet")]);
    expect((await run.get("/ready/webhook")).status).toBe(200);
    expect((await run.get("/ready")).status).toBe(503);
    await bed.src.remove("Service", "born");
  });
});
