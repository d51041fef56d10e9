import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { type NamespaceView, portsOf, specOf } from "../../harness/namespace-view.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: FerryBed;
let ferry: FerryRun;
/** A second source namespace; both go to the same one. */
let other: NamespaceView;

beforeAll(async () => {
  bed = await openBed();
  other = await bed.namespace("source", `other-${bed.id}`);
  ferry = await bed.run(options());
});
afterAll(async () => bed.close());

function options(): { file: Readonly<Record<string, unknown>> } {
  const namespaces = [bed.src.namespace, other.namespace];
  const target = { namespace: bed.dst.namespace };
  return { file: { routes: [{ name: "shop", namespaces, target }] } };
}

function created(name: string): readonly string[] {
  return [`create services ${name}`, `create endpointslices ${name}-*`, `create endpoints ${name}`];
}

describe("a Service of somebody else under the mirror's name", () => {
  it("is never touched, named in an Event, and replaced by the mirror when it goes away", async () => {
    const theirs = {
      labels: { "app.kubernetes.io/managed-by": "Helm" },
      spec: { ports: [{ port: 7 }] },
    };
    await bed.dst.apply(service(bed.dst.namespace, "taken", theirs));
    const before = await bed.dst.service("taken");

    await bed.src.apply(slice(bed.src.namespace, "taken", ["10.1.0.1"]));
    await bed.src.apply(service(bed.src.namespace, "taken"));
    await ferry.untilState(`${bed.src.namespace}/taken`, "conflict", "name-occupied");
    await bed.src.untilEvent("taken", /^NameConflict: name-occupied: .*managed by Helm/);
    await bed.settle(ferry);
    const writes = await bed.writes(ferry);
    const after = await bed.dst.service("taken");
    await bed.dst.remove("Service", "taken");
    await bed.dst.untilEndpoints("taken", ["10.1.0.1"]);
    await bed.settle(ferry);

    expect(writes).toEqual([]);
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect(await bed.writes(ferry)).toEqual(created("taken"));
    await ferry.untilState(`${bed.src.namespace}/taken`, "synced");
  });

  it("changes: still nobody writes, and nothing is said twice", async () => {
    await bed.dst.apply(service(bed.dst.namespace, "busy", { labels: {} }));
    await bed.src.apply(service(bed.src.namespace, "busy"));
    await ferry.untilState(`${bed.src.namespace}/busy`, "conflict");
    await bed.forgetWrites();

    for (const port of [81, 82, 83])
      await bed.dst.patch("Service", "busy", { spec: { ports: [{ port }] } });
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
    const said = ferry.records.filter(
      ({ message, code, route }) =>
        message === "not synced" &&
        code === "name-occupied" &&
        JSON.stringify(route).includes("/busy"),
    );
    expect(said).toHaveLength(1);
    await bed.src.untilEvent("busy", /^NameConflict/);
    expect(await bed.src.events("busy")).toHaveLength(1);
  });

  it("takes the name after the mirror was deleted: the mirror's leftovers go, the newcomer stays", async () => {
    await bed.src.apply(
      slice(bed.src.namespace, "lost", ["10.1.0.1"]),
      service(bed.src.namespace, "lost"),
    );
    await bed.dst.untilEndpoints("lost", ["10.1.0.1"]);
    await bed.settle(ferry);
    // Paused, else the mirror would be back before anybody could take the name.
    await bed.src.patch("Service", "lost", {
      metadata: { annotations: { "svc-ferry.io/paused": "true" } },
    });
    await ferry.untilState(`${bed.src.namespace}/lost`, "paused");
    await bed.dst.remove("Service", "lost");
    await bed.dst.apply(
      service(bed.dst.namespace, "lost", { labels: {}, spec: { ports: [{ port: 9 }] } }),
    );
    await bed.forgetWrites();

    await bed.src.patch("Service", "lost", {
      metadata: { annotations: { "svc-ferry.io/paused": null } },
    });
    await ferry.untilState(`${bed.src.namespace}/lost`, "conflict", "name-occupied");
    await bed.dst.untilAddresses("lost", []);
    await bed.settle(ferry);

    const stays = await bed.dst.service("lost");
    expect(portsOf(stays)).toEqual([9]);
    expect((await bed.writes(ferry)).filter((write) => write.includes(" services "))).toEqual([]);
  });
});

describe("two sources for one name", () => {
  it("leave it to the one that has it; the other is told so, and promoted when that one goes", async () => {
    await bed.src.apply(
      slice(bed.src.namespace, "both", ["10.1.1.1"]),
      service(bed.src.namespace, "both"),
    );
    await bed.dst.untilEndpoints("both", ["10.1.1.1"]);
    await bed.settle(ferry);
    await bed.forgetWrites();

    const second = service(other.namespace, "both", { spec: { ports: [{ port: 81 }] } });
    await other.apply(slice(other.namespace, "both", ["10.1.1.2"]), second);
    await other.untilEvent("both", /^NameConflict: name-taken: .* mirrors src-/);
    await bed.settle(ferry);
    const meanwhile = await bed.writes(ferry);
    await bed.src.remove("Service", "both");
    await bed.dst.untilEndpoints("both", ["10.1.1.2"]);
    const slices = await bed.dst.untilAddresses("both", ["10.1.1.2"]);
    const mirror = await bed.dst.untilService("both", (one) => portsOf(one)[0] === 81);
    await bed.settle(ferry);

    expect(meanwhile).toEqual([]);
    expect(slices).toHaveLength(1);
    expect(mirror.metadata.annotations?.["svc-ferry.io/source"]).toBe(`${other.namespace}/both`);
    expect(await bed.writes(ferry)).toEqual([
      "patch services both",
      "create endpointslices both-*",
      "patch endpoints both",
      "delete endpointslices both-*",
    ]);
    await ferry.untilState(`${other.namespace}/both`, "synced");
  });

  it("give it to the older one when nobody has it yet", async () => {
    const [younger, older] = [bed.src, other];
    await ferry.stop();
    await older.apply(service(older.namespace, "older", { spec: { ports: [{ port: 81 }] } }));
    const { metadata } = await older.service("older");
    // Creation times are in seconds: wait for the API server's next one.
    await waitFor(
      async () => {
        await younger.remove("Service", "older");
        await younger.apply(service(younger.namespace, "older"));
        const now = await younger.service("older");
        return now.metadata.creationTimestamp > metadata.creationTimestamp;
      },
      { what: "a younger Service", everyMs: 100 },
    );

    ferry = await bed.run(options());
    const mirror = await bed.dst.untilService("older");

    expect(portsOf(mirror)).toEqual([81]);
    await ferry.untilState(`${older.namespace}/older`, "synced");
    await ferry.untilState(`${younger.namespace}/older`, "conflict", "name-taken");
  });

  it("hand it over without a gap when the new one says that it takes over", async () => {
    const { namespace } = bed.src;
    await bed.src.apply(slice(namespace, "shop", ["10.1.2.1"]), service(namespace, "shop"));
    await bed.dst.untilEndpoints("shop", ["10.1.2.1"]);
    const before = await bed.dst.service("shop");
    await bed.settle(ferry);
    await bed.forgetWrites();

    const annotations = {
      "svc-ferry.io/target-name": "shop",
      "svc-ferry.io/takeover": `${namespace}/shop`,
    };
    await bed.src.apply(
      slice(namespace, "shop-v2", ["10.1.2.2"]),
      service(namespace, "shop-v2", { annotations }),
    );
    await bed.dst.untilEndpoints("shop", ["10.1.2.2"]);
    await bed.dst.untilAddresses("shop", ["10.1.2.2"]);
    await bed.settle(ferry);

    const after = await bed.dst.service("shop");
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(await bed.writes(ferry)).toEqual([
      "patch services shop",
      "create endpointslices shop-*",
      "patch endpoints shop",
      "delete endpointslices shop-*",
    ]);
    await bed.src.untilEvent("shop", /^NameConflict: name-taken/);
    await bed.src.remove("Service", "shop");
    await bed.settle(ferry);
    expect((await bed.dst.service("shop")).metadata.uid).toBe(before.metadata.uid);
    await bed.src.remove("Service", "shop-v2");
    await bed.dst.untilGone("Service", "shop");
  });

  it("need the holder's word when they are in different namespaces", async () => {
    await bed.src.apply(service(bed.src.namespace, "moved"));
    await bed.dst.untilService("moved");

    const annotations = { "svc-ferry.io/takeover": `${bed.src.namespace}/moved` };
    await other.apply(
      service(other.namespace, "moved", { annotations, spec: { ports: [{ port: 82 }] } }),
    );
    await ferry.untilState(`${other.namespace}/moved`, "conflict", "name-taken");
    await bed.settle(ferry);
    const kept = await bed.dst.service("moved");
    await bed.src.patch("Service", "moved", {
      metadata: { annotations: { "svc-ferry.io/release-to": `${other.namespace}/moved` } },
    });
    const given = await bed.dst.untilService("moved", (one) => portsOf(one)[0] === 82);

    expect(portsOf(kept)).toEqual([80]);
    expect(given.metadata.uid).toBe(kept.metadata.uid);
    expect(specOf(given)).not.toHaveProperty("selector");
    await ferry.untilState(`${bed.src.namespace}/moved`, "conflict", "name-taken");
  });
});
