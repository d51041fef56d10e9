import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExplainReport, Finding } from "../../../src/ports/explain-report.js";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";
import { runTool, toolFlags, type ToolResult } from "../../harness/tool-run.js";

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
});
afterAll(async () => bed.close());

async function explain(...words: readonly string[]): Promise<ToolResult> {
  return runTool(["explain", ...toolFlags(bed.toolSettings), ...words]);
}

async function found(...words: readonly string[]): Promise<Finding> {
  const { out } = await explain(...words, "-o", "json");
  const [finding] = (JSON.parse(out) as ExplainReport).findings;
  if (finding === undefined) throw new Error(`no finding in ${out}`);
  return finding;
}

describe("svc-ferry explain on real API servers", () => {
  it("finds a synced Service in order, step by step, and writes nothing anywhere", async () => {
    await bed.src.apply(slice(bed.src.namespace, "web", ["10.1.0.1", "10.1.0.2"]));
    await bed.src.apply(service(bed.src.namespace, "web"));
    await bed.dst.untilEndpoints("web", ["10.1.0.1", "10.1.0.2"]);
    await bed.settle(ferry);
    const before = await bed.dst.service("web");

    const { code, out, err } = await explain("web");

    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(
      `source ${bed.src.namespace}/web → destination ${bed.dst.namespace}/web   SYNCED\n`,
    );
    expect(out).toMatch(/^ {2}4 written {4}yes {2}nothing to change since 20\d\d-\S+Z$/m);
    expect(out).toContain("  5 endpoints  yes  2 ready of 2, 1 slice\n");
    const after = await bed.dst.service("web");
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const mirror = await found(`${bed.dst.namespace}/web`, "--in", "destination");
    expect(mirror).toMatchObject({ service: `${bed.src.namespace}/web`, verdict: "synced" });
  });

  it("finds the label missing or misspelled, and a namespace or name that is wrong", async () => {
    await bed.src.apply(service(bed.src.namespace, "plain", { labels: { sync: "True" } }));

    const misspelled = await explain("plain");
    const elsewhere = await explain("default/kubernetes");
    const absent = await explain("plainn");

    expect([misspelled.code, elsewhere.code, absent.code]).toEqual([3, 3, 3]);
    expect(misspelled.out).toMatch(/^reason {2}not-selected: /m);
    expect(misspelled.out).toContain('label sync="True", and it selects sync=true');
    expect(misspelled.out).toContain("label --overwrite service plain sync=true");
    expect(elsewhere.out).toContain("namespace default is none of its namespaces");
    expect(absent.out).toContain(`did you mean ${bed.src.namespace}/plain?`);
  });

  it("finds that no endpoint is ready, and names the pods", async () => {
    const { namespace } = bed.src;
    await bed.source.createNode();
    await bed.source.createPod(namespace, "sleepy", { app: "sleepy" }, "10.1.0.9", {
      ready: false,
    });
    await bed.src.apply(service(namespace, "sleepy", { spec: { selector: { app: "sleepy" } } }));
    await ferry.untilState(`${namespace}/sleepy`, "synced");
    await bed.settle(ferry);

    const { code, out } = await explain("sleepy");

    expect(code).toBe(0);
    expect(out).toContain("SYNCED, but nobody answers\n");
    expect(out).toContain("in the source not ready: sleepy\n");
  });

  it("finds a name that is occupied, with whose it is", async () => {
    const theirs = { labels: { "app.kubernetes.io/managed-by": "Helm" } };
    await bed.dst.apply(service(bed.dst.namespace, "taken", theirs));
    await bed.src.apply(service(bed.src.namespace, "taken"));
    await ferry.untilState(`${bed.src.namespace}/taken`, "conflict");

    const { code, out } = await explain("taken");

    expect(code).toBe(1);
    expect(out).toMatch(/3 name free {2}NO .*managed by Helm/);
    expect(out).toMatch(/^reason {2}name-occupied: /m);
    expect(out).toMatch(/^fix .*annotate --overwrite service taken svc-ferry.io\/target-name=/m);
  });

  it("finds what the destination would refuse, by asking it and without storing anything", async () => {
    const name = "refused";
    await bed.src.apply(service(bed.src.namespace, name));
    await ferry.untilState(`${bed.src.namespace}/${name}`, "synced");
    await bed.stopRuns();
    const quota = { metadata: { namespace: bed.dst.namespace, name: "none" }, apiVersion: "v1" };
    await bed.destination.remove("Service", bed.dst.namespace, name);
    await bed.destination.create({
      ...quota,
      kind: "ResourceQuota",
      spec: { hard: { "count/services": "0" } },
    });
    await waitFor(
      async () => {
        const quotas = await bed.destination.get("ResourceQuota", bed.dst.namespace, "none");
        return (quotas as { status?: { hard?: unknown } } | undefined)?.status?.hard;
      },
      { what: "the quota to count" },
    );

    const finding = await found(name);
    await bed.destination.remove("ResourceQuota", bed.dst.namespace, "none");

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code: "FERRY-K006" } });
    expect(finding.reason?.message).toContain("exceeded quota");
    expect(await bed.destination.get("Service", bed.dst.namespace, name)).toBeUndefined();
  });

  it("lists only what is not in order with --all, and says who could not be asked", async () => {
    const all = await explain("--all");
    const down = await explain("web", "--kubeconfig=/nowhere");

    expect(all.code).toBe(1);
    expect(all.out).toMatch(/taken .*not-synced +name-occupied/);
    expect(all.out).not.toContain(`${bed.src.namespace}/web `);
    expect(down.code).toBe(2);
  });
});
