import { describe, it, type TestContext } from "vitest";
import type { LinkPolicy } from "../../../../sidecar/link/policy.js";
import type { MirrorStatus } from "../../../../sidecar/status/mirror-status.js";
import { ProcessEtcd } from "../../../fakes/process-etcd.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { MirrorPair, put } from "../../../harness/mirror-pair.js";
import { StoppableClock } from "../../../harness/stoppable-clock.js";
import { waitFor } from "../../../harness/wait-for.js";

const RULES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }] }
`;
const SIGNAL = new AbortController().signal;

const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";
/** Each is waited for until the lease of the one that was killed has run out. */
const KILLS = FULL ? 50 : 2;
const CHANGES_EACH = 200;
/** A third of all objects goes within seconds, again and again. */
const POLICY = { allowMassDelete: true };
const NAMES = 300;
/** The same changes each time; where a kill strikes among the writes, the machine decides. */
const SEED = 5;

/** Two etcds of its own, so that the tests can wait for their leases side by side. */
class Scene {
  readonly #clocks: StoppableClock[] = [];

  private constructor(readonly pair: MirrorPair) {}

  static async start(onTestFinished: TestContext["onTestFinished"]): Promise<Scene> {
    const scene = new Scene(await MirrorPair.start());
    onTestFinished(() => scene.#stop(), 15_000);
    const { pair } = scene;
    await pair.write(pair.destination, put("namespaces/shop"), put("namespaces/marks"));
    return scene;
  }

  /** So many ConfigMaps, a hundred in one transaction: c0, c1 … */
  async many(count: number): Promise<void> {
    const puts = Array.from({ length: count }, (_, at) =>
      put(`configmaps/shop/c${at}`, { data: { at } }),
    );
    for (let at = 0; at < count; at += 100) {
      await this.pair.write(this.pair.source, ...puts.slice(at, at + 100));
    }
  }

  /** So many transactions of the source, each of which writes two objects and removes a third. */
  async changes(random: SeededRandom, count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const first = random.int(0, NAMES - 1);
      const [one, other, gone] = [0, 1, 2].map(
        (step) => `configmaps/shop/c${(first + step) % NAMES}`,
      );
      if (one === undefined || other === undefined || gone === undefined) return;
      const data = { change: random.id() };
      const removal = { kind: "delete", key: `/registry/${gone}` } as const;
      await this.pair.write(this.pair.source, put(one, { data }), put(other, { data }), removal);
    }
  }

  /** A mirror of a process of its own. */
  stoppable(identity: string, policy: Partial<LinkPolicy> = {}) {
    const { pair } = this;
    const clock = new StoppableClock();
    this.#clocks.push(clock);
    const source = new ProcessEtcd(pair.source, clock, 0);
    const destination = new ProcessEtcd(pair.destination, clock, 0);
    const process = { clock, source, destination, identity };
    const one = pair.mirror({ rules: RULES, ...process, policy, ttlSeconds: 2 });
    return { ...one, clock };
  }

  /** Whoever was killed has to end too, or nothing would. */
  async #stop(): Promise<void> {
    for (const clock of this.#clocks) clock.continue();
    await this.pair.stop();
  }
}

/** Paths and data of the ConfigMaps that the tests are about. */
function inShop(all: Awaited<ReturnType<MirrorPair["objects"]>>): readonly (readonly unknown[])[] {
  return [...all]
    .filter(([path]) => path.startsWith("configmaps/shop/"))
    .map(([path, { data }]) => [path, data]);
}

describe("Mirror, killed and stopped", () => {
  it.concurrent(
    "ends equal after kills in a first copy and in the tail, without writing anything twice",
    async ({ expect, onTestFinished }) => {
      const scene = await Scene.start(onTestFinished);
      const { pair } = scene;
      await scene.many(300);
      const points = [
        ({ mirror }: ReturnType<Scene["stoppable"]>) => mirror.status.objects.put >= 90,
        ({ mirror }: ReturnType<Scene["stoppable"]>) => mirror.status.activity === "following",
      ];
      for (const [kill, isThere] of points.entries()) {
        const one = scene.stoppable(`pod-${kill}`);
        await waitFor(() => isThere(one), { what: "the point of the kill" });
        await pair.put(`configmaps/shop/k${kill}`, { data: { kill } });
        await pair.delete(`configmaps/shop/c${kill}`);
        one.clock.stop();
      }
      const last = await pair.follow({ rules: RULES, identity: "last", ttlSeconds: 2 });
      await pair.applied(last);

      const [source, destination] = [await pair.objects(pair.source), await pair.objects()];

      expect(inShop(destination)).toEqual(inShop(source));
      const versions = await pair.destination.range(
        { key: "/registry/configmaps/shop/", rangeEnd: "/registry/configmaps/shop0" },
        { signal: SIGNAL },
      );
      expect(versions.kvs.filter(({ version }) => version > 1n)).toEqual([]);
    },
    60_000,
  );

  it.concurrent(
    "ends equal after kills anywhere among changes of several keys",
    async ({ expect, onTestFinished }) => {
      const scene = await Scene.start(onTestFinished);
      const { pair } = scene;
      const random = new SeededRandom(SEED);
      await scene.many(NAMES);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const one = scene.stoppable(`pod-${kill}`, POLICY);
        await waitFor(() => one.mirror.status.fence.held, { what: "the fence", everyMs: 5 });
        const changing = scene.changes(random, CHANGES_EACH);
        const writes = random.int(1, 150);
        const written = ({ objects }: MirrorStatus): number => objects.put + objects.deleted;
        await waitFor(() => written(one.mirror.status) >= writes, {
          what: `${writes} writes`,
          everyMs: 1,
        });
        one.clock.stop();
        await changing;
      }
      const last = await pair.follow({ rules: RULES, policy: POLICY, ttlSeconds: 2 });
      await pair.applied(last);

      const [source, destination] = [await pair.objects(pair.source), await pair.objects()];
      const { debts } = last.mirror.status;

      expect(Object.entries(debts).filter(([, count]) => count > 0)).toEqual([]);
      expect(inShop(destination)).toEqual(inShop(source));
      expect(inShop(source).length).toBeGreaterThan(NAMES / 2);
    },
    60_000 + KILLS * 10_000,
  );

  it.concurrent(
    "writes 0 keys after it was stopped for longer than its lease and goes on beside another",
    async ({ expect, onTestFinished }) => {
      const scene = await Scene.start(onTestFinished);
      const { pair } = scene;
      const stale = scene.stoppable("stale");
      await waitFor(() => stale.mirror.status.activity === "following", { what: "the tail" });
      stale.clock.stop();
      await pair.put("configmaps/shop/a", { data: { by: "stale or fresh" } });
      const fresh = scene.stoppable("fresh");
      await waitFor(() => fresh.mirror.status.activity === "following", {
        what: "the other's tail",
      });
      await pair.applied(fresh);
      const before = await pair.objects();

      stale.clock.continue();
      await waitFor(() => stale.mirror.status.activity === "waiting", {
        what: "that it has noticed",
      });

      expect(await pair.objects()).toEqual(before);
      expect(stale.mirror.status.fence.held).toBe(false);
    },
    60_000,
  );

  it.concurrent(
    "survives a source that is compacted while it is read, again and again",
    async ({ expect, onTestFinished }) => {
      const scene = await Scene.start(onTestFinished);
      const { pair } = scene;
      await scene.many(400);
      const one = pair.mirror({ rules: RULES, policy: { maxWritesPerSecond: 400 } });
      for (let round = 0; round < 4; round += 1) {
        await waitFor(() => one.mirror.status.objects.put > round * 80, { what: "some objects" });
        await pair.put(`configmaps/shop/c${round}`, { data: { round } });
        await pair.delete(`configmaps/shop/c${round + 100}`);
        const { revision } = await pair.source.revision({ signal: SIGNAL });
        await pair.source.compact(revision, { signal: SIGNAL });
      }
      await waitFor(() => one.mirror.status.activity === "following", { what: "the tail" });
      await pair.applied(one);

      const [source, destination] = [await pair.objects(pair.source), await pair.objects()];

      const names = (all: typeof source) =>
        [...all.keys()].filter((path) => path.startsWith("configmaps/shop/"));
      expect(names(destination)).toEqual(names(source));
      const { first, resumed } = one.mirror.status.passes;
      // Never from the beginning again; a busy machine may have cost it the fence in between.
      expect(first + resumed).toBe(1);
    },
    60_000,
  );
});
