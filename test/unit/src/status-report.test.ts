import { describe, expect, it } from "vitest";
import { Core } from "../../../src/core.js";
import type { Installation } from "../../../src/domain/installation.js";
import { NO_AUTHORS } from "../../../src/ports/authors.js";
import { SERVICES } from "../../../src/ports/kube-resources.js";
import { countServices, statusReport } from "../../../src/status-report.js";
import { HeldLease } from "../../fixtures/held-lease.js";
import { installed } from "../../fixtures/installation.js";
import { IntakeBed } from "../../fixtures/intake-bed.js";
import { kubeService } from "../../fixtures/kube-objects.js";
import { newObject } from "../../fixtures/reconcile-bed.js";
import { RecordedMetrics } from "../../fixtures/recorders.js";
import { service } from "../../fixtures/service.js";
import { simulatedConfig } from "../../harness/simulation-installation.js";

/** A leader that has seen the source and has not reached its destination. */
async function coreBed() {
  const bed = new IntakeBed("source", "shop", "team");
  const names = ["shop/web", "team/api"] as const;
  for (const name of names) {
    bed.server.create(SERVICES, newObject(kubeService(service(name).ferried())));
  }
  const config = simulatedConfig("pod-1", 1);
  const [route] = config.routes;
  const installation: Installation = installed(route === undefined ? [] : [route]);
  const lease = new HeldLease();
  lease.lose({ kind: "unknown", cause: "FERRY-K006" });
  const core = new Core({
    ...bed.parts,
    config,
    installation,
    source: bed.api,
    destinations: new Map([["destination-0", bed.process.client(bed.world.destination, "b")]]),
    metrics: new RecordedMetrics(),
    observe: () => bed.parts.observe,
    lease: () => lease,
    leaseAnnotations: () => ({}),
    authors: NO_AUTHORS,
    onService: () => undefined,
    onStranger: () => undefined,
  });
  await bed.start(core.cache);
  const report = () =>
    statusReport({
      clock: bed.parts.clock,
      podName: "pod-1",
      version: "1.2.3",
      sourceName: "source",
      core,
      isLeader: true,
      leader: "pod-1",
      link: "link",
    });
  return { bed, core, report };
}

describe("statusReport", () => {
  it("shows Services as pending that no pass has reached, and why the link's Lease is not held", async () => {
    const { bed, report } = await coreBed();

    const { services, destinations } = report();

    expect(services).toEqual([
      { service: "shop/web", destination: "destination-0", target: "apps/web", state: "pending" },
      { service: "team/api", destination: "destination-0", target: "apps/api", state: "pending" },
    ]);
    expect(destinations).toMatchObject([
      { connected: false, heartbeat: "unknown", heartbeatCause: "FERRY-K006" },
    ]);
    await bed.end();
  });

  it("shows each Service once when a state is known, and counts as it shows", async () => {
    const { bed, core, report } = await coreBed();
    core.links[0]?.reporter.unattempted(["apps/web"], { code: "FERRY-K006", message: "forbidden" });

    const { services } = report();

    expect(services.map(({ service: name, state }) => `${name} ${state}`)).toEqual([
      "shop/web retrying",
      "team/api pending",
    ]);
    expect(countServices(core, "destination-0")).toEqual(
      new Map([
        ["retrying", 1],
        ["pending", 1],
      ]),
    );
    await bed.end();
  });
});
