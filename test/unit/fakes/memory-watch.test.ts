import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../src/ports/kube-api.js";
import { NAMESPACES } from "../../../src/ports/kube-resources.js";
import { MemoryApiServer } from "../../fakes/memory-api-server.js";
import { CONFIG_MAPS } from "../../fakes/resources.js";
import { SimulatedWorld } from "../../fakes/simulated-world.js";
import { configMap, setUp, signal, watching } from "./scene.js";

describe("MemoryWatch", () => {
  it("delivers the events of one watch in order, however the latencies fall", async () => {
    const scene = setUp();
    scene.network.set({ watchLatencyMs: [0, 500] });
    const watched = watching(scene, scene.world.source.revision);
    await scene.world.run({ forMs: 10 });

    for (let i = 0; i < 100; i += 1) scene.world.source.create(CONFIG_MAPS, configMap(`c-${i}`));
    await scene.world.run({ forMs: 1000 });

    const order = watched.events.map(
      (event) => event.kind === "added" && event.object.metadata.name,
    );
    expect(order).toEqual(Array.from({ length: 100 }, (_, i) => `c-${i}`));
  });

  it("may deliver a watch event before and after the answer to the write that caused it", async () => {
    const first = async (watchLatencyMs: readonly [number, number]): Promise<string> => {
      const scene = setUp();
      scene.network.set({ watchLatencyMs, latencyMs: [5, 5] });
      const order: string[] = [];
      const options = {
        resourceVersion: scene.world.source.revision,
        timeoutSeconds: 60,
        stallMs: 90_000,
      };
      void scene.api.watch(CONFIG_MAPS, options, () => order.push("event"), signal);
      await scene.world.run({ forMs: 50 });
      void scene.api
        .create(CONFIG_MAPS, configMap("a"), { signal })
        .then(() => order.push("answer"));
      await scene.world.run({ forMs: 50 });
      return order.join(" ");
    };

    expect(await first([1, 1])).toBe("event answer");
    expect(await first([9, 9])).toBe("answer event");
  });

  it("breaks watches when it disconnects", async () => {
    const scene = setUp();
    const watched = watching(scene, scene.world.source.revision);
    await scene.world.run({ forMs: 10 });

    scene.network.disconnect();
    await scene.world.run({ forMs: 10 });
    scene.world.source.create(CONFIG_MAPS, configMap("a"));
    await scene.world.run({ forMs: 10 });

    expect(watched).toMatchObject({ events: [], error: { code: "FERRY-K001" } });
    expect(scene.world.source.openWatches).toBe(0);
  });

  it("leaves a watch dead after a silence until it stalls", async () => {
    const scene = setUp();
    const watched = watching(scene, scene.world.source.revision, 90_000);
    await scene.world.run({ forMs: 10 });

    scene.network.silent();
    scene.network.up();
    scene.world.source.create(CONFIG_MAPS, configMap("a"));
    await scene.world.run({ forMs: 80_000 });
    const quiet = watched.error;
    await scene.world.run({ forMs: 20_000 });

    expect(quiet).toBeUndefined();
    expect(watched).toMatchObject({ events: [], error: { code: "FERRY-K010" } });
  });

  it("keeps a quiet watch alive with bookmarks", async () => {
    const scene = setUp();
    const watched = watching(scene, scene.world.source.revision, 90_000);
    scene.world.source.create(CONFIG_MAPS, configMap("a"));

    await scene.world.run({ forMs: 600_000 });

    expect(watched.error).toBeUndefined();
    expect(watched.events.at(-1)).toEqual({
      kind: "bookmark",
      resourceVersion: scene.world.source.revision,
    });
  });

  it("sends no bookmark on a quiet collection when etcd does not notify progress", async () => {
    const { clock, random } = new SimulatedWorld(1);
    const server = new MemoryApiServer({ clock, random, progressNotify: false });
    const events: WatchEvent[] = [];
    const options = { resourceVersion: server.revision, timeoutSeconds: 3600, stallMs: 90_000 };
    const ignore = { end: () => undefined, fail: () => undefined, cut: () => undefined };
    server.watch(CONFIG_MAPS, options, { ...ignore, event: (event) => events.push(event) });
    server.create(NAMESPACES, { metadata: { name: "shop" } });

    await clock.advance(300_000);
    const quiet = [...events];
    server.create(CONFIG_MAPS, configMap("a"));
    await clock.advance(60_000);

    expect(quiet).toEqual([]);
    expect(events.map(({ kind }) => kind)).toEqual(["added", "bookmark"]);
  });

  it("sends a bookmark each minute and two seconds before the end", async () => {
    const { clock, source } = new SimulatedWorld(1);
    const at: string[] = [];
    const note = (what: string): void => {
      at.push(`${what} ${clock.monotonicMs() / 1000}`);
    };
    const options = { resourceVersion: source.revision, timeoutSeconds: 150, stallMs: 90_000 };
    const ignore = { fail: () => undefined, cut: () => undefined };
    source.watch(CONFIG_MAPS, options, {
      ...ignore,
      event: ({ kind }) => note(kind),
      end: () => note("end"),
    });
    source.create(NAMESPACES, { metadata: { name: "shop" } });

    await clock.advance(200_000);

    expect(at).toEqual(["bookmark 60", "bookmark 120", "bookmark 148", "end 150"]);
  });

  it("cuts watches at the rate that is set, and loses no event before the cut but from its end", async () => {
    const scene = setUp();
    scene.network.set({ cutWatch: 0.05 });
    const watched = watching(scene, scene.world.source.revision);
    await scene.world.run({ forMs: 10 });

    for (let i = 0; i < 200; i += 1) {
      scene.world.source.create(CONFIG_MAPS, configMap(`c-${i}`));
      await scene.world.run({ forMs: 1 });
    }

    const seen = watched.events.map(
      (event) => event.kind === "added" && event.object.metadata.name,
    );
    expect(watched.error).toMatchObject({ code: "FERRY-K001" });
    expect(scene.network.injected.get("cut-watch")).toBe(1);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => `c-${i}`));
  });
});
