import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import { CertificateSecret } from "../../harness/certificate-secret.js";
import type { FerryRun, LogLine } from "../../harness/ferry-run.js";
import { type HttpFaultProxy, startHttpFaultProxy } from "../../harness/http-fault-proxy.js";
import { service } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

const folder = mkdtempSync(join(tmpdir(), "svc-ferry-stalled-"));
let bed: AdmissionBed;
let proxy: HttpFaultProxy;
let leader: FerryRun;
/** By which the source is reached through the proxy. */
let kubeconfig = "";

/** Services are listed, and nothing ever comes down their watch. */
beforeAll(async () => {
  bed = await openAdmissionBed();
  proxy = await startHttpFaultProxy(inject("controlPlanes").source);
  proxy.setRule(({ watch, path }) =>
    watch && path.endsWith("/services") ? { kind: "hang" } : undefined,
  );
  kubeconfig = join(folder, "kubeconfig.yaml");
  writeKubeconfig(kubeconfig, [
    { ...(await bed.access("source")), server: proxy.url, ca: proxy.ca },
    await bed.access("destination"),
  ]);
  const { namespace } = bed.src;
  await bed.source.create(service(namespace, "old"));
  leader = await bed.run({ flags: { kubeconfig } });
  await bed.route(leader);
  await bed.dst.untilService("old");
});
afterAll(async () => {
  await bed.close();
  await proxy.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The line of what was done for a Service, once it is there. */
function told(operation: string, name: string): Promise<LogLine> {
  const isIt = (line: LogLine): boolean =>
    line["operation"] === operation && JSON.stringify(line["route"]).includes(`/${name}"`);
  const lines = (): readonly LogLine[] => [
    ...leader.logged("applied"),
    ...leader.logged("removed"),
  ];
  return waitFor(() => lines().find(isIt), { what: `${operation} of ${name}` });
}

describe("a watch that stalls", () => {
  it("delays nothing that was admitted: a change, a new Service, a label taken away, a deletion", async () => {
    const { namespace } = bed.src;

    await bed.src.patch("Service", "old", { spec: { ports: [{ port: 81 }] } });
    await bed.dst.untilService("old", ({ spec }) => JSON.stringify(spec).includes("81"));
    const changed = await told("update", "old");
    await bed.source.create(service(namespace, "fresh"));
    await bed.dst.untilService("fresh");
    const created = await told("create", "fresh");
    await bed.src.patch("Service", "old", { metadata: { labels: { sync: null } } });
    await bed.dst.untilGone("Service", "old");
    const unlabelled = await told("delete", "old");
    await bed.src.remove("Service", "fresh");
    await bed.dst.untilGone("Service", "fresh");
    const deleted = await told("delete", "fresh");

    const lines = [changed, created, unlabelled, deleted];
    expect(lines.map((line) => [line?.["operation"], line?.["by"]])).toEqual([
      ["update", "admin"],
      ["create", "admin"],
      ["delete", "admin"],
      ["delete", "admin"],
    ]);
    const slow = lines.filter((line) => !(Number(line?.["sinceAdmissionMs"]) < 1_000));
    expect(slow).toEqual([]);
    expect(await leader.metric("svc_ferry_hints_total", { outcome: "read" })).toBe(4);
  });

  it("does not hide who made a change that another replica has stamped with a key of its own time", async () => {
    const { namespace } = bed.src;
    const secret = new CertificateSecret(bed.src);
    await bed.stopRuns();
    proxy.setRule(({ watch, path }) =>
      watch && path.endsWith("/secrets") ? { kind: "hang" } : undefined,
    );
    const late = await bed.run({ flags: { kubeconfig } });
    const other = await bed.launch();
    await bed.route(other);
    await bed.source.create(service(namespace, "keyed"));
    const keyOf = async (): Promise<string | undefined> =>
      (await bed.src.service("keyed")).metadata.annotations?.["svc-ferry.io/stamp"]?.slice(0, 8);
    const before = await keyOf();

    await secret.exchangeStampKey();
    let port = 1_000;
    await waitFor(
      async () => {
        port += 1;
        await bed.src.patch("Service", "keyed", { spec: { ports: [{ port }] } });
        return (await keyOf()) !== before;
      },
      { what: "the other replica to sign with the new key" },
    );
    await bed.dst.untilService("keyed", ({ spec }) => JSON.stringify(spec).includes(`${port}`));
    await late.untilIdle();

    const lines = late.logged("applied");
    expect(lines.length).toBeGreaterThan(1);
    expect(new Set(lines.map((line) => line["by"]))).toEqual(new Set(["admin"]));
    expect(await late.metric("svc_ferry_changes_not_admitted_total")).toBeUndefined();
  });
});
