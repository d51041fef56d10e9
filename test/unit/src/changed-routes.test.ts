import { describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.js";
import type { ConfigOrigin } from "../../../src/config/config-feed.js";
import type { Route } from "../../../src/domain/route.js";
import { NAMESPACES, SERVICES } from "../../../src/ports/kube-resources.js";
import { SimulatedWorld } from "../../fakes/simulated-world.js";
import { SimulatedFerry } from "../../harness/simulated-ferry.js";

/** A leader between two simulated clusters, and the file that holds its routes. */
class Scene {
  readonly world = new SimulatedWorld(1);
  readonly ferry: SimulatedFerry;
  #text = "";
  #routes: readonly Route[] = [];

  constructor() {
    for (const name of ["shop", "team", "more", "k8s-sync"]) {
      this.world.source.create(NAMESPACES, { metadata: { name } });
    }
    this.world.destination.create(NAMESPACES, { metadata: { name: "apps" } });
    const process = this.world.process("ferry");
    this.ferry = new SimulatedFerry(this.world, process, "pod", undefined, (config) =>
      this.#origin(config),
    );
  }

  label(namespace: string, name: string): void {
    const metadata = { namespace, name, labels: { sync: "true" } };
    const service = { metadata, spec: { ports: [{ port: 80 }] } };
    this.world.source.create(SERVICES, service);
  }

  /** The first route reads these namespaces from now on. */
  async rewrite(...namespaces: readonly string[]): Promise<void> {
    this.#text = namespaces.join();
    this.#routes = this.#routes.map((route, at) => (at === 0 ? { ...route, namespaces } : route));
    await this.run(30_000);
  }

  async run(forMs: number): Promise<void> {
    await this.world.run({ forMs });
  }

  get mirrors(): readonly string[] {
    const { items } = this.world.destination.list(SERVICES, { namespace: "apps" });
    return items.map(({ metadata }) => metadata.name).toSorted();
  }

  /** Of each mirror, to tell one that was made again. */
  uidOf(name: string): string | undefined {
    return this.world.destination.get(SERVICES, { namespace: "apps", name }).metadata.uid;
  }

  #origin(config: Config): ConfigOrigin {
    this.#routes = config.routes;
    return {
      path: "ferry.yaml",
      read: () => this.#text,
      load: () => ({ kind: "ok", config: { ...config, routes: this.#routes }, warnings: [] }),
    };
  }
}

describe("a process whose routes change", () => {
  it("mirrors what a new route selects, and goes on leading", async () => {
    const scene = new Scene();
    scene.label("shop", "web");
    scene.label("more", "late");
    await scene.run(20_000);
    const [before, uid] = [scene.mirrors, scene.uidOf("web")];

    await scene.rewrite("shop", "team", "more");

    expect(before).toEqual(["web"]);
    expect(scene.mirrors).toEqual(["late", "web"]);
    expect(scene.uidOf("web")).toBe(uid);
    expect(scene.ferry.isLeader).toBe(true);
  });

  it("follows what happens after the change, of old routes and new ones", async () => {
    const scene = new Scene();
    await scene.run(20_000);
    await scene.rewrite("shop", "more");

    scene.label("shop", "one");
    scene.label("more", "two");
    await scene.run(10_000);

    expect(scene.mirrors).toEqual(["one", "two"]);
  });

  it("removes the mirrors of a namespace that left, once the grace of stale routes is over", async () => {
    const scene = new Scene();
    scene.label("shop", "stays");
    scene.label("team", "leaves");
    await scene.run(20_000);

    await scene.rewrite("shop");
    const within = scene.mirrors;
    await scene.run(700_000);

    expect(within).toEqual(["leaves", "stays"]);
    expect(scene.mirrors).toEqual(["stays"]);
  });

  it("ends in good order after changes, with nothing that still waits", async () => {
    const scene = new Scene();
    await scene.run(20_000);
    await scene.rewrite("shop", "more");
    await scene.rewrite("shop");

    scene.ferry.stop();
    await scene.run(10_000);

    expect(scene.ferry.exitCode).toBe(0);
    expect(scene.ferry.sleeping).toBe(0);
  });
});
