import { describe, expect, it } from "vitest";
import { DryApi } from "../../../../src/explain/dry-api.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { NAMESPACES, SERVICES } from "../../../../src/ports/kube-resources.js";
import { Inspected } from "../../../fixtures/inspected.js";

const { signal } = new AbortController();
const WEB: KubeObject = { metadata: { namespace: "prod", name: "web" } };
const REF = { namespace: "prod", name: "web" };

function bed({ rehearses = false } = {}) {
  const cluster = new Inspected("b");
  cluster.memory.create(NAMESPACES, { metadata: { name: "prod" } });
  cluster.memory.audit.clear();
  return { cluster, api: new DryApi(cluster, rehearses ? cluster.rehearsal : undefined) };
}

describe("a DryApi", () => {
  it("notes writes in order, once, and sends none", async () => {
    const { cluster, api } = bed();

    await api.create(SERVICES, WEB, { signal });
    await api.delete(SERVICES, REF);

    expect(api.takeDue()).toEqual([
      { verb: "create", resource: "services", name: "prod/web" },
      { verb: "delete", resource: "services", name: "prod/web" },
    ]);
    expect(api.takeDue()).toEqual([]);
    expect(cluster.memory.audit.lines).toEqual([]);
  });

  it("answers for a missing namespace as the server would, until it was to be made", async () => {
    const { api } = bed();
    const object = { metadata: { namespace: "absent", name: "web" } };

    const before = await api.create(SERVICES, object, { signal });
    await api.create(NAMESPACES, { metadata: { name: "absent" } }, { signal });

    expect(before).toEqual({ kind: "not-found" });
    expect(await api.create(SERVICES, object, { signal })).toMatchObject({ kind: "done" });
  });

  it("leaves it to the rehearsal where namespaces may not be read", async () => {
    const { cluster, api } = bed({ rehearses: true });
    cluster.before = (request) => {
      if (request.startsWith("get namespaces")) throw new RetryableError("FERRY-K006", "no");
    };
    cluster.rehearse = async () => ({
      result: { kind: "terminating", message: "it ends" },
      warnings: [],
    });

    expect(await api.create(SERVICES, WEB, { signal })).toEqual({
      kind: "terminating",
      message: "it ends",
    });
  });

  it("tells of a list that failed whoever waits, and whoever asked", async () => {
    const { cluster, api } = bed();
    cluster.before = () => {
      throw new RetryableError("FERRY-K001", "refused");
    };

    await expect((async () => api.list(SERVICES, {}, signal))()).rejects.toThrow("refused");
    await expect(api.trouble).rejects.toThrow("refused");
  });

  it("watches nothing, until it is told to stop", async () => {
    const { api } = bed();
    const stop = new AbortController();
    const options = { resourceVersion: "1", timeoutSeconds: 1, stallMs: 1 };
    const events: unknown[] = [];

    const watching = api.watch(SERVICES, options, (event) => void events.push(event), stop.signal);
    stop.abort();

    await watching;
    expect(events).toEqual([]);
  });

  it("replaces nothing", async () => {
    await expect(bed().api.replace()).rejects.toMatchObject({ code: "FERRY-K011" });
  });
});
