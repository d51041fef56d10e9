import { beforeEach, describe, expect, it } from "vitest";
import { RetryableError } from "../../../src/ports/errors.js";
import { NAMESPACES, SERVICES } from "../../../src/ports/kube-resources.js";
import { strayNamespaces } from "../../../src/stray-namespaces.js";
import { MemoryApiServer } from "../../fakes/memory-api-server.js";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { DirectApi } from "../../fixtures/direct-api.js";
import { kubeService } from "../../fixtures/kube-objects.js";
import { newObject } from "../../fixtures/reconcile-bed.js";
import { LINK, service, type ServiceBuilder } from "../../fixtures/service.js";

const { signal } = new AbortController();
let server: MemoryApiServer;
let api: DirectApi;

function put(...services: readonly ServiceBuilder[]): void {
  for (const one of services) {
    server.create(NAMESPACES, { metadata: { name: one.namespace } });
    server.create(SERVICES, newObject(kubeService(one)));
  }
}

beforeEach(() => {
  server = new MemoryApiServer({ clock: new VirtualClock(), random: new SeededRandom(1) });
  api = new DirectApi(server, "b");
});

const ask = (mapped: readonly string[] | "all") =>
  strayNamespaces(api, { link: LINK, mapped }, signal);

describe("strayNamespaces", () => {
  it("are those where mirrors of this link lie and no route leads to", async () => {
    put(
      service("prod/web").mirrorOf("shop/web"),
      service("former/web").mirrorOf("shop/web"),
      service("others/web").mirrorOf("shop/web", "another-link"),
      service("plain/web"),
    );

    expect(await ask(["prod"])).toEqual(["former"]);
    expect(api.requests).toEqual([`list services everywhere svc-ferry.io/link=${LINK}`]);
  });

  it("are not asked for where every namespace is watched anyhow", async () => {
    expect(await ask("all")).toEqual([]);
    expect(api.requests).toEqual([]);
  });

  it("are unknown to an account that may not list them", async () => {
    api.before = () => {
      throw new RetryableError("FERRY-K006", "forbidden", { status: 403 });
    };

    expect(await ask(["prod"])).toBeUndefined();
  });

  it("are asked for again when the cluster fails", async () => {
    api.before = () => {
      throw new RetryableError("FERRY-K004", "down", { status: 500 });
    };

    await expect(async () => ask(["prod"])).rejects.toMatchObject({ code: "FERRY-K004" });
  });
});
