import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";

import type { Stored } from "../../harness/manifest.js";
import { waitFor } from "../../harness/wait-for.js";

const LINK = "svc-ferry.io/link";

let bed: FerryBed;
let ferry: FerryRun;
let name = "";

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
});
afterAll(async () => bed.close());

/** Each test has a mirror of its own, in order and at rest. */
beforeEach(async () => {
  name = bed.name("web");
  await bed.src.apply(
    slice(bed.src.namespace, name, ["10.1.0.1"]),
    service(bed.src.namespace, name, { labels: { sync: "true", colour: "red" } }),
  );
  await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
  await bed.settle(ferry);
  await bed.forgetWrites();
});

async function sliceOf(): Promise<Stored> {
  const [found] = await bed.dst.slices(name);
  if (found === undefined) throw new Error(`no slice of ${name}`);
  return found;
}

async function untilHealed(): Promise<void> {
  await bed.dst.untilAddresses(name, ["10.1.0.1"]);
  await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
  await bed.settle(ferry);
}

describe("somebody in the destination", () => {
  it("takes our label off a slice: it is healed, not doubled", async () => {
    const { metadata } = await sliceOf();

    await bed.dst.patch("EndpointSlice", metadata.name, { metadata: { labels: { [LINK]: null } } });
    await waitFor(async () => (await sliceOf()).metadata.labels?.[LINK] !== undefined, {
      what: "the slice's label",
    });
    await untilHealed();

    const writes = await bed.writes(ferry);
    expect(writes.filter((write) => !write.endsWith("409"))).toEqual([
      `patch endpointslices ${short()}`,
    ]);
    expect(writes.length).toBeLessThanOrEqual(2);
    const { services } = await ferry.status();
    const status = services.find((one) => one.service === `${bed.src.namespace}/${name}`);
    expect(status?.state).toBe("synced");
    expect(status?.reason).toBeUndefined();
  });

  it("takes the Service's name off a slice: one write puts it back", async () => {
    const { metadata } = await sliceOf();

    await bed.dst.patch("EndpointSlice", metadata.name, {
      metadata: { labels: { "kubernetes.io/service-name": null } },
    });
    await untilHealed();

    expect(await bed.writes(ferry)).toEqual([`patch endpointslices ${short()}`]);
  });

  it("edits a slice: one write puts it back", async () => {
    const { metadata } = await sliceOf();

    await bed.dst.patch("EndpointSlice", metadata.name, {
      endpoints: [{ addresses: ["10.9.9.9"] }],
      ports: [{ port: 1 }],
    });
    await untilHealed();

    expect(await bed.writes(ferry)).toEqual([`patch endpointslices ${short()}`]);
  });

  it("deletes a slice: one write brings it back", async () => {
    const { metadata } = await sliceOf();

    await bed.dst.remove("EndpointSlice", metadata.name);
    await waitFor(async () => (await sliceOf()).metadata.uid !== metadata.uid, {
      what: "another slice",
    });
    await untilHealed();

    expect(await bed.writes(ferry)).toEqual([`create endpointslices ${short()}`]);
  });

  it("edits the Endpoints: one write puts them back", async () => {
    await bed.dst.patch("Endpoints", name, {
      subsets: [{ addresses: [{ ip: "10.9.9.9" }], ports: [{ port: 1 }] }],
    });
    await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([`patch endpoints ${name}`]);
  });

  it("takes our labels off the Endpoints: they are healed, and no mirrored slices stay", async () => {
    await bed.dst.patch("Endpoints", name, { metadata: { labels: null } });
    await waitFor(
      async () => (await bed.dst.get("Endpoints", name))?.metadata.labels?.[LINK] !== undefined,
      { what: "the Endpoints' labels" },
    );
    await untilHealed();

    const writes = await bed.writes(ferry);
    expect(writes.filter((write) => !write.endsWith("409"))).toEqual([`patch endpoints ${name}`]);
    expect(await bed.dst.slices(name)).toHaveLength(1);
  });

  it("deletes the Endpoints: one write brings them back", async () => {
    const before = await bed.dst.get("Endpoints", name);

    await bed.dst.remove("Endpoints", name);
    await waitFor(
      async () => {
        const now = await bed.dst.get("Endpoints", name);
        return now !== undefined && now.metadata.uid !== before?.metadata.uid;
      },
      { what: "other Endpoints" },
    );
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([`create endpoints ${name}`]);
  });

  it("leaves slices of the endpoint-slice controller under the mirror's name: they are deleted", async () => {
    await bed.dst.apply(controllerSlice("endpointslice-controller.k8s.io"));
    await bed.dst.untilGone("EndpointSlice", `${name}-theirs`);
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([`delete endpointslices ${name}-theirs`]);
  });

  it("adds a slice of their own under the mirror's name: it is reported and never touched", async () => {
    await bed.dst.apply(controllerSlice("their-controller"));
    await bed.src.untilEvent(name, /^EndpointsWarning: slices of others add endpoints/);
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
    const status = await ferry.untilState(
      `${bed.src.namespace}/${name}`,
      "synced",
      "foreign-endpoints",
    );
    expect(status.message).toContain("their-controller");
  });
});

function controllerSlice(managedBy: string): ReturnType<typeof slice> {
  const made = slice(bed.dst.namespace, name, ["10.7.7.7"], { name: `${name}-theirs` });
  const labels = {
    "kubernetes.io/service-name": name,
    "endpointslice.kubernetes.io/managed-by": managedBy,
  };
  return { ...made, metadata: { ...made.metadata, labels } };
}

function short(): string {
  return `${name.slice(0, 40).replace(/-+$/, "")}-*`;
}
