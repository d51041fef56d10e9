import { describe, expect, it } from "vitest";
import type { WriteResult } from "../../../src/ports/kube-api.js";
import { NAMESPACES } from "../../../src/ports/kube-resources.js";
import type { Fate } from "../../fakes/network.js";
import { CONFIG_MAPS } from "../../fakes/resources.js";
import { configMap, type Scene, setUp, signal, watching } from "./scene.js";

const names = ({ world }: Scene): readonly string[] =>
  world.source.list(CONFIG_MAPS).items.map(({ metadata }) => metadata.name);

/** What came of a promise once the world had a minute. */
const outcome = async <T>(scene: Scene, promise: Promise<T>): Promise<PromiseSettledResult<T>> => {
  const [settled] = await Promise.all([
    Promise.allSettled([promise]),
    scene.world.run({ forMs: 60_000 }),
  ]);
  return settled[0];
};
const createA = (scene: Scene): Promise<WriteResult> =>
  scene.api.create(CONFIG_MAPS, configMap("a"), { signal });

describe("Network", () => {
  it.each<[Fate, object, readonly string[]]>([
    ["lose-request", { code: "FERRY-K001" }, []],
    ["lose-response", { code: "FERRY-K001" }, ["a"]],
    ["too-many-requests", { code: "FERRY-K003", retryAfterMs: 1000 }, []],
    ["server-error", { code: "FERRY-K004" }, []],
    ["done-and-server-error", { code: "FERRY-K004" }, ["a"]],
  ])("meets a create with %s once", async (fate, reason, there) => {
    const scene = setUp();
    scene.network.next("create", fate);

    const first = await outcome(scene, createA(scene));
    const after = names(scene);
    const second = await outcome(scene, scene.api.create(CONFIG_MAPS, configMap("b"), { signal }));

    expect(first).toMatchObject({ status: "rejected", reason });
    expect(after).toEqual(there);
    expect(second).toMatchObject({ value: { kind: "done" } });
    expect(scene.network.injected.get(fate)).toBe(1);
  });

  it("lies about a list without pages", async () => {
    const scene = setUp();
    scene.world.source.create(CONFIG_MAPS, configMap("a"));
    scene.network.next("list", "empty-list");

    const lie = await outcome(scene, scene.api.list(CONFIG_MAPS, { limit: 1 }, signal));
    const truth = await outcome(scene, scene.api.list(CONFIG_MAPS, { limit: 1 }, signal));

    expect(lie).toMatchObject({ value: { items: [], continueToken: undefined } });
    expect(truth).toMatchObject({ value: { items: [{ metadata: { name: "a" } }] } });
  });

  it("refuses connections while it is down, and connects anew afterwards", async () => {
    const scene = setUp();
    await outcome(scene, scene.api.list(CONFIG_MAPS, {}, signal));
    const before = scene.api.connections;

    scene.network.down();
    const refused = await outcome(scene, createA(scene));
    scene.network.up();
    const done = await outcome(scene, createA(scene));

    expect(refused).toMatchObject({ reason: { code: "FERRY-K001" } });
    expect(done).toMatchObject({ value: { kind: "done" } });
    expect(scene.api.connections).toBe(before + 1);
  });

  it("loses what is under way when it goes down", async () => {
    const scene = setUp();
    scene.network.set({ latencyMs: [10, 10] });
    const onItsWay = scene.api.create(CONFIG_MAPS, configMap("a"), { signal });
    const done = outcome(scene, onItsWay);
    scene.world.clock.schedule(5, () => {
      scene.network.down();
    });

    expect(await done).toMatchObject({ reason: { code: "FERRY-K001" } });
    expect(names(scene)).toEqual([]);
  });

  it("lets a request time out while it is silent", async () => {
    const scene = setUp();
    scene.network.silent();

    const result = await outcome(scene, createA(scene));

    expect(result).toMatchObject({ reason: { code: "FERRY-K002" } });
    expect(names(scene)).toEqual([]);
  });

  it("asks permit when the request goes out, not when it is made", async () => {
    const scene = setUp();
    scene.network.set({ queueMs: [100, 100] });
    let permitted = true;
    const write = scene.api.create(CONFIG_MAPS, configMap("a"), {
      signal,
      permit: () => permitted,
    });

    await scene.world.run({ forMs: 50 });
    permitted = false;
    const result = await outcome(scene, write);

    expect(result).toMatchObject({ reason: { code: "FERRY-L001" } });
    expect(scene.world.source.audit.lines).not.toContain("create configmaps shop/a: done");
  });

  it("sends nothing of a process that is frozen, and asks permit when it is thawed", async () => {
    const scene = setUp();
    const asked: number[] = [];
    const permit = (): boolean => asked.push(scene.process.clock.monotonicMs()) > 0;
    const write = scene.api.create(CONFIG_MAPS, configMap("a"), { signal, permit });

    scene.process.clock.freeze();
    await scene.world.run({ forMs: 20_000 });
    const frozen = names(scene);
    scene.process.clock.thaw();
    await outcome(scene, write);

    expect(frozen).toEqual([]);
    expect(asked).toEqual([20_000]);
    expect(names(scene)).toEqual(["a"]);
  });

  it("lets a request arrive whose process was killed after it was sent", async () => {
    const scene = setUp();
    void createA(scene);
    await scene.world.clock.step();

    scene.process.clock.kill();
    await scene.world.run({ forMs: 100 });

    expect(names(scene)).toEqual(["a"]);
  });

  it("leads to another server after it was rerouted", async () => {
    const scene = setUp();
    const other = scene.world.server("other");
    const uidOf = async (): Promise<string | undefined> => {
      const result = await outcome(
        scene,
        scene.api.get(NAMESPACES, { name: "kube-system" }, signal),
      );
      return result.status === "fulfilled" ? result.value?.metadata.uid : undefined;
    };
    const before = await uidOf();
    const connections = scene.api.connections;

    scene.network.reroute(other);
    const after = await uidOf();

    expect(after).not.toBe(before);
    expect(scene.api.connections).toBe(connections + 1);
  });

  it("repeats a history with the same seed and makes another with a different one", async () => {
    const history = async (seed: number): Promise<string> => {
      const scene = setUp(seed);
      scene.network.set({ loseRequest: 0.2, loseResponse: 0.2, serverError: 0.1, cutWatch: 0.1 });
      const watched = watching(scene, scene.world.source.revision);
      const results = Array.from({ length: 20 }, (_, i) =>
        scene.api.create(CONFIG_MAPS, configMap(`c-${i}`), { signal }),
      );
      const [settled] = await Promise.all([
        Promise.allSettled(results),
        scene.world.run({ forMs: 60_000 }),
      ]);
      const kinds = settled.map(({ status }) => status);
      return JSON.stringify([kinds, watched.events, scene.world.source.audit.entries]);
    };

    expect(await history(11)).toBe(await history(11));
    expect(await history(11)).not.toBe(await history(12));
  });
});
