import { beforeEach, describe, expect, it } from "vitest";
import type { ApiObject, ApiWanted } from "../../../../sidecar/api/api-writer.js";
import { KubeApiWriter } from "../../../../sidecar/api/kube-api-writer.js";
import { BUILTIN_RESOURCES } from "../../../../sidecar/keys/builtin-resources.js";
import { RetryableError, TerminalError } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { NAMESPACES, SERVICES } from "../../../../src/ports/kube-resources.js";
import { MemoryApiServer } from "../../../fakes/memory-api-server.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { EncodedApi } from "../../../fixtures/encoded-api.js";
import { json, wireKind } from "../../../fixtures/wire/values.js";

const REF = { namespace: "shop", name: "web" };
const MARKED = { "svc-ferry.io/mirror-link": "east", "svc-ferry.io/source-uid": "uid-1" };
const TERM = { signal: new AbortController().signal, permit: () => true };

let server: MemoryApiServer;
let api: EncodedApi;
let writer: KubeApiWriter;

beforeEach(async () => {
  const clock = new VirtualClock();
  server = new MemoryApiServer({ clock, random: new SeededRandom(1) });
  api = new EncodedApi(server);
  writer = new KubeApiWriter(api, "east", clock);
  server.create(NAMESPACES, { metadata: { name: "shop" } }, "test");
});

function at(): ApiObject {
  const resource = BUILTIN_RESOURCES.find(({ kind }) => kind === "Service");
  if (resource === undefined) throw new Error("no Services");
  return { resource, ...REF };
}

function wanted(spec: object, ownUid?: string): ApiWanted {
  const metadata = { ...REF, uid: "uid-1" };
  const object = json(JSON.stringify({ apiVersion: "v1", kind: "Service", metadata, spec }));
  return {
    object,
    kind: wireKind(object),
    owners: [],
    ownUid,
    leftAt: undefined,
    onDrift: "repair",
    before: async () => undefined,
  };
}

const SPEC = { ports: [{ port: 80 }], selector: { app: "web" } };
const apply = (spec: object = SPEC, ownUid?: string) =>
  writer.apply(at(), wanted(spec, ownUid), TERM);
const stored = (): KubeObject | undefined => server.get(SERVICES, REF);
const native = (annotations: Record<string, string> = {}): KubeObject =>
  server.create(SERVICES, { metadata: { ...REF, annotations }, spec: SPEC } as KubeObject, "test");
const writes = (): readonly string[] => api.requests.filter((one) => !one.startsWith("get"));

describe("KubeApiWriter", () => {
  it("creates what is not there, with its mark", async () => {
    const applied = await apply();

    expect(applied).toMatchObject({ kind: "applied", written: true });
    expect(stored()?.metadata.annotations).toEqual(MARKED);
    expect(writes()).toEqual(["create services shop/web"]);
  });

  it("replaces what is ours, and says when that changed nothing", async () => {
    await apply();

    const again = await apply();
    const changed = await apply({ ...SPEC, selector: { app: "other" } });

    expect(again).toMatchObject({ kind: "applied", written: false });
    expect(changed).toMatchObject({ kind: "applied", written: true });
    expect(stored()).toMatchObject({ spec: { selector: { app: "other" } } });
  });

  describe("when somebody else has written what is ours", () => {
    /** With what a server would fill in: the one in memory does not when it is only asked what would be. */
    const FULL = { ...SPEC, ports: [{ port: 80, protocol: "TCP", targetPort: 80 }] };
    const leftAt = (): string => stored()?.metadata.resourceVersion ?? "";
    const touched = (leftAtBefore: string, onDrift: ApiWanted["onDrift"]) =>
      writer.apply(at(), { ...wanted(FULL), leftAt: leftAtBefore, onDrift }, TERM);
    const edit = (change: object): void => {
      const { uid = "" } = stored()?.metadata ?? {};
      server.patch(SERVICES, REF, { ...change }, { uid }, "somebody");
    };

    it("makes it as wanted again, and says what was not", async () => {
      await apply(FULL);
      const before = leftAt();
      edit({ spec: { selector: { app: "wrong" } }, metadata: { labels: { "a/b": "c" } } });

      const applied = await touched(before, "repair");

      expect(applied).toMatchObject({
        kind: "applied",
        repaired: ["metadata.labels[a/b]", "spec.selector.app"],
      });
      expect(stored()).toMatchObject({ spec: { selector: { app: "web" } } });
    });

    it("leaves it where that is the policy, and says what is not as wanted", async () => {
      await apply(FULL);
      const before = leftAt();
      edit({ spec: { selector: { app: "wrong" } } });
      const edited = stored();

      const applied = await touched(before, "report");

      expect(applied).toEqual({ kind: "drifted", fields: ["spec.selector.app"] });
      expect(stored()).toEqual(edited);
      expect(writes().slice(1)).toEqual(["try services shop/web"]);
    });

    it("takes for drift only what differs from what the object was made of, as long as that is known", async () => {
      await apply(FULL);
      const leftBefore = leftAt();
      edit({ metadata: { labels: { a: "b" } } });
      edit({ metadata: { labels: { a: null } } });
      const now = wanted({ ...FULL, selector: { app: "new" } });
      const touchedAndChanged = { ...now, leftAt: leftBefore, onDrift: "report" } as const;
      const before = async () => wanted(FULL).object;

      const unknown = await writer.apply(at(), touchedAndChanged, TERM);
      const known = await writer.apply(at(), { ...touchedAndChanged, before }, TERM);
      edit({ metadata: { labels: { tier: "mine" } } });
      const drifted = await writer.apply(
        at(),
        { ...touchedAndChanged, before: async () => now.object, object: wanted(FULL).object },
        TERM,
      );

      expect(unknown).toEqual({ kind: "drifted", fields: ["spec.selector.app"] });
      expect(known).toMatchObject({ kind: "applied", written: true, repaired: [] });
      expect(drifted).toEqual({ kind: "drifted", fields: ["metadata.labels.tier"] });
    });

    it("takes no drift for what means the same, or for what only the source has changed", async () => {
      await apply(FULL);
      const before = leftAt();
      edit({ metadata: { labels: { a: "b" } } });
      edit({ metadata: { labels: { a: null } } });

      const same = await touched(before, "report");
      const changed = await writer.apply(
        at(),
        { ...wanted({ ...FULL, selector: { app: "new" } }), leftAt: leftAt(), onDrift: "report" },
        TERM,
      );

      expect(same).toMatchObject({ kind: "applied", repaired: [] });
      expect(changed).toMatchObject({ kind: "applied", written: true, repaired: [] });
    });
  });

  it("leaves alone what has no mark, or another link's", async () => {
    const other = native({ ...MARKED, "svc-ferry.io/mirror-link": "west" });

    expect(await apply()).toEqual({ kind: "occupied" });
    expect(stored()).toEqual(other);
    expect(writes()).toEqual([]);
  });

  it("takes for ours what the ledger calls so, though it was written without a mark", async () => {
    const before = native();

    const applied = await apply(SPEC, before.metadata.uid);

    expect(applied).toMatchObject({ kind: "applied", uid: before.metadata.uid });
    expect(stored()?.metadata.annotations).toEqual(MARKED);
  });

  it("looks again when somebody takes the name between its look and its write", async () => {
    api.before = (request) => {
      if (request.startsWith("create")) native();
      api.before = request.startsWith("create") ? () => {} : api.before;
    };

    expect(await apply()).toEqual({ kind: "occupied" });
  });

  it("looks again when the object changes between its look and its write", async () => {
    await apply();
    api.before = (request) => {
      if (!request.startsWith("replace")) return;
      api.before = () => {};
      const { uid = "" } = stored()?.metadata ?? {};
      server.patch(SERVICES, REF, { metadata: { labels: { a: "b" } } }, { uid }, "test");
    };

    const applied = await apply({ ...SPEC, selector: { app: "other" } });

    expect(applied).toMatchObject({ kind: "applied" });
    expect(stored()).toMatchObject({ spec: { selector: { app: "other" } } });
    expect(writes().filter((one) => one.startsWith("replace"))).toHaveLength(2);
  });

  it("exchanges a Service that the API would not turn into a headless one", async () => {
    const first = await apply();

    const second = await apply({ ...SPEC, clusterIP: "None" });

    expect(second).toMatchObject({ kind: "applied", written: true });
    expect(second).not.toMatchObject({ uid: (first as { uid: string }).uid });
    expect(stored()).toMatchObject({ spec: { clusterIP: "None" } });
    expect(writes().slice(1)).toEqual(["delete services shop/web", "create services shop/web"]);
  });

  it("says that the Namespace is missing", async () => {
    const elsewhere = { ...at(), namespace: "nowhere" };
    const source = wanted(SPEC);
    const text = source.object.bytes.toString().replace('"shop"', '"nowhere"');

    const applied = await writer.apply(elsewhere, { ...source, object: json(text) }, TERM);

    expect(applied).toEqual({ kind: "no-namespace" });
  });

  it.each<readonly [string, Error, object]>([
    [
      "nobody answers",
      new RetryableError("FERRY-K001", "x"),
      { kind: "unavailable", isAway: true },
    ],
    [
      "the server fails",
      new RetryableError("FERRY-K004", "x"),
      { kind: "unavailable", isAway: false },
    ],
    [
      "it may not",
      new RetryableError("FERRY-K006", "secret", { status: 403 }),
      { kind: "refused", detail: "FERRY-K006, HTTP 403" },
    ],
    [
      "the request is wrong",
      new TerminalError("FERRY-K011", "secret"),
      { kind: "refused", detail: "FERRY-K011" },
    ],
    [
      "the version is not served",
      new RetryableError("FERRY-K007", "x"),
      { kind: "refused", detail: "the destination serves no v1" },
    ],
  ])("tells what it means that %s, without the server's words", async (_, error, expected) => {
    api.before = (request) => {
      if (request === "get services shop/web") throw error;
    };

    expect(await apply()).toMatchObject(expected);
  });

  it("starts no write that is not permitted", async () => {
    const applied = await writer.apply(at(), wanted(SPEC), { ...TERM, permit: () => false });

    expect(applied).toMatchObject({ kind: "unavailable", isAway: true });
    expect(() => stored()).toThrow();
  });

  it("deletes the object with that uid, and no other", async () => {
    await apply();
    const { uid = "", resourceVersion } = stored()?.metadata ?? {};

    const other = await writer.remove(at(), { uid: "another", resourceVersion: undefined }, TERM);
    const stale = await writer.remove(at(), { uid, resourceVersion: "1" }, TERM);
    const removed = await writer.remove(at(), { uid, resourceVersion }, TERM);

    expect([other.kind, stale.kind, removed.kind]).toEqual(["removed", "changed", "removed"]);
    expect(writes().filter((one) => one.startsWith("delete"))).toHaveLength(2);
    expect(() => stored()).toThrow();
  });

  it("takes its mark off what it releases, and nothing else", async () => {
    await apply();
    const { uid = "" } = stored()?.metadata ?? {};

    await writer.release(at(), { uid, resourceVersion: undefined }, TERM);

    expect(stored()?.metadata.annotations ?? {}).toEqual({});
    expect(stored()).toMatchObject({ spec: { selector: { app: "web" } } });
  });
});
