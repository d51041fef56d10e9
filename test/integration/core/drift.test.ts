import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { portsOf, specOf } from "../../harness/namespace-view.js";
import type { Stored } from "../../harness/manifest.js";
import { waitFor } from "../../harness/wait-for.js";

const LINK = "svc-ferry.io/link";

let bed: FerryBed;
let ferry: FerryRun;
let name = "";

beforeAll(async () => {
  bed = await openBed();
  await bed.destination.createNode();
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

async function untilHealed(): Promise<void> {
  await bed.dst.untilAddresses(name, ["10.1.0.1"]);
  await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
  await bed.settle(ferry);
}

describe("somebody in the destination", () => {
  it("edits the mirror's ports, type and affinity: one write puts them back", async () => {
    await bed.dst.patch("Service", name, {
      spec: { type: "NodePort", sessionAffinity: "ClientIP", ports: [{ port: 1 }] },
    });
    const mirror = await bed.dst.untilService(name, (one) => portsOf(one)[0] === 80);
    await bed.settle(ferry);

    expect(specOf(mirror)).toMatchObject({ type: "ClusterIP", sessionAffinity: "None" });
    expect(await bed.writes(ferry)).toEqual([`patch services ${name}`]);
  });

  it("changes a label that was copied and takes the mark away: one write puts them back", async () => {
    await bed.dst.patch("Service", name, {
      metadata: { labels: { colour: "blue", sync: null } },
    });
    const mirror = await bed.dst.untilService(
      name,
      ({ metadata }) => metadata.labels?.["colour"] === "red",
    );
    await bed.settle(ferry);

    expect(mirror.metadata.labels).toMatchObject({ sync: "true-external" });
    expect(await bed.writes(ferry)).toEqual([`patch services ${name}`]);
  });

  it("adds labels, annotations and fields of their own: those stay", async () => {
    await bed.dst.patch("Service", name, {
      metadata: { labels: { theirs: "1" }, annotations: { "example.com/theirs": "1" } },
      spec: { internalTrafficPolicy: "Local" },
    });
    await bed.settle(ferry);

    const { metadata } = await bed.dst.service(name);
    expect(metadata.labels).toMatchObject({ theirs: "1" });
    expect(await bed.writes(ferry)).toEqual([]);
  });

  it("takes our label off the mirror: it is still known and healed in one write", async () => {
    await bed.dst.patch("Service", name, {
      metadata: { labels: { [LINK]: null, "app.kubernetes.io/managed-by": null } },
    });
    await bed.dst.untilService(name, ({ metadata }) => metadata.labels?.[LINK] !== undefined);
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([`patch services ${name}`]);
  });

  it("deletes the mirror: it comes back with endpoints that its own garbage collector leaves alone", async () => {
    const before = await bed.dst.service(name);

    await bed.dst.remove("Service", name);
    const mirror = await bed.dst.untilService(
      name,
      ({ metadata }) => metadata.uid !== before.metadata.uid,
    );
    await waitFor(
      async () => {
        const [slice] = await bed.dst.slices(name);
        const endpoints = await bed.dst.get("Endpoints", name);
        return ownerOf(slice) === mirror.metadata.uid && ownerOf(endpoints) === mirror.metadata.uid;
      },
      { what: "slices and Endpoints of the new mirror" },
    );
    await untilHealed();
    const writes = await bed.writes(ferry);
    await bed.forgetWrites();
    await bed.settle(ferry);

    expect(writes.filter((write) => write.endsWith(`services ${name}`))).toEqual([
      `create services ${name}`,
    ]);
    expect(await bed.writes(ferry)).toEqual([]);
  });

  it("puts a selector on the mirror and takes it off again: only our endpoints are left", async () => {
    await bed.destination.createPod(bed.dst.namespace, `${name}-pod`, { app: name }, "10.8.8.8");

    await bed.dst.patch("Service", name, { spec: { selector: { app: name } } });
    await bed.dst.untilService(name, (one) => specOf(one)["selector"] === undefined);
    await bed.dst.patch("Service", name, { spec: { selector: { app: name } } });
    await bed.dst.untilService(name, (one) => specOf(one)["selector"] === undefined);
    await untilHealed();

    const endpoints = await bed.dst.get("Endpoints", name);
    expect(endpoints?.metadata.labels).toMatchObject({
      "endpointslice.kubernetes.io/skip-mirror": "true",
    });
    expect(endpoints?.metadata.labels).not.toHaveProperty(["endpoints.kubernetes.io/managed-by"]);
    await bed.forgetWrites();
    await bed.settle(ferry);
    expect(await bed.writes(ferry)).toEqual([]);
  });
});

function ownerOf(object: Stored | undefined): string | undefined {
  const owners = object?.metadata["ownerReferences"] as readonly { uid: string }[] | undefined;
  return owners?.[0]?.uid;
}
