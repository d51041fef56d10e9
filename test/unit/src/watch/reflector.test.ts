import { describe, expect, it } from "vitest";
import type { KubeList } from "../../../../src/ports/kube-api.js";
import { failure, reflectorBed } from "./reflector-bed.js";
import { list, thing } from "./scripted-api.js";

const never = new AbortController().signal;
const added = (key: string, uid: string, version: string, text = "") =>
  ({ kind: "added", object: thing(key, uid, version, text) }) as const;
const deleted = (key: string, uid: string, version: string) =>
  ({ kind: "deleted", object: thing(key, uid, version) }) as const;

/** A bed whose first list is in and whose first watch is open. */
async function watching(...how: Parameters<typeof reflectorBed>) {
  const bed = reflectorBed(...how);
  bed.api.objects = [thing("a/x", "u1", "90", "one")];
  await bed.clock.advance(5_000);
  bed.news();
  bed.requests();
  bed.told.length = 0;
  return bed;
}

describe("Reflector", () => {
  it("lists, says so, then watches from the list's version for 300 to 600 seconds", async () => {
    const { api, reflector, news, requests, told, settle, end } = reflectorBed();
    api.objects = [thing("a/x", "u1", "90", "one")];
    const before = [reflector.isSynced, reflector.state];

    await settle();
    await reflector.synced;

    expect(before).toEqual([false, "listing"]);
    expect([reflector.isSynced, reflector.state]).toEqual([true, "watching"]);
    expect(requests()).toEqual(["list", "watch 100"]);
    expect(news()).toEqual(["set a/x"]);
    expect(told).toEqual(["listed: start", "relist 1"]);
    expect(api.lastWatch.options).toMatchObject({
      labelSelector: "sync=true",
      timeoutSeconds: 450,
      stallMs: 90_000,
    });
    await end();
  });

  it("reports events in order and goes on from the last version, bookmarks included, when the watch ends", async () => {
    const { clock, api, reflector, news, requests, end } = await watching();

    api.lastWatch.emit(added("a/y", "u2", "101", "two"));
    api.lastWatch.emit(deleted("a/x", "u1", "102"));
    api.lastWatch.emit({ kind: "bookmark", resourceVersion: "150" });
    api.version = "150";
    await clock.advance(300_000);
    api.lastWatch.end();
    await clock.advance(0);

    expect(news()).toEqual(["set a/y", "deleted a/x"]);
    expect([...reflector.store.values()]).toEqual(["two"]);
    expect(requests()).toEqual(["look", "watch 150"]);
    await end();
  });

  it("hears of the server with each page of a list that takes long", async () => {
    const { clock, api, reflector, settle, end } = reflectorBed();
    const secondPage = Promise.withResolvers<KubeList>();
    api.answers.push(() => list([thing("a/x", "u1", "1")], "100", "t"));
    api.answers.push(() => secondPage.promise);
    await settle();
    await clock.advance(1_000);

    const soon = reflector.lastContactMs;
    secondPage.resolve(list([thing("a/y", "u2", "2")], "100"));
    await settle();

    expect([soon, reflector.lastContactMs, reflector.isSynced]).toEqual([0, 1_000, true]);
    await end();
  });

  it("knows when it last heard of the server", async () => {
    const { clock, api, reflector, end } = await watching();

    await clock.advance(1_000);
    api.lastWatch.emit({ kind: "bookmark", resourceVersion: "101" });
    await clock.advance(1_000);

    expect(clock.monotonicMs() - (reflector.lastContactMs ?? 0)).toBe(1_000);
    await end();
  });

  it("ends when told to, in the middle of a watch, and leaves no timer behind", async () => {
    const { clock, api, end } = await watching();

    await end();

    expect(api.lastWatch.isOpen).toBe(false);
    expect(clock.pending).toBe(0);
  });

  describe("listing", () => {
    it("reads all pages before anything is shown", async () => {
      const { api, reflector, news, requests, settle, end } = reflectorBed();
      const second = Promise.withResolvers<void>();
      api.answers.push(
        () => list([thing("a/x", "u1", "1")], "100", "token"),
        async () => {
          await second.promise;
          return list([thing("a/y", "u2", "2")], "100");
        },
      );

      await settle();
      const halfway = reflector.store.size;
      second.resolve();
      await settle();

      expect(halfway).toBe(0);
      expect(news()).toEqual(["set a/x", "set a/y"]);
      expect(requests()).toEqual(["list", "list +token", "watch 100"]);
      await end();
    });

    it("keeps what it has when a later page fails, and begins again after a pause", async () => {
      const { clock, api, reflector, news, requests, told, end } = await watching();
      api.answers.push(
        () => list([], "200", "token"),
        () => Promise.reject(failure("FERRY-K004")),
      );

      reflector.relist();
      await clock.advance(70);
      const meanwhile = [news(), reflector.state, reflector.store.size];
      await clock.advance(30);

      expect(meanwhile).toEqual([[], "broken", 1]);
      expect(requests()).toEqual(["list", "list +token", "list", "watch 100"]);
      expect(news()).toEqual([]);
      expect(told).toEqual([
        "failed: FERRY-K004",
        "log: watch failed, trying again",
        "log: watch recovered",
        "listed: requested",
        "relist 2",
      ]);
      await end();
    });

    it("lists all at once when a continue token expired", async () => {
      const { api, news, requests, settle, end } = reflectorBed();
      api.answers.push(
        () => list([thing("a/stale", "u1", "1")], "100", "token"),
        () => Promise.reject(failure("FERRY-K008")),
        () => list([thing("a/x", "u1", "1")], "200"),
      );

      await settle();

      expect(requests()).toEqual(["list", "list +token", "list all", "watch 200"]);
      expect(news()).toEqual(["set a/x"]);
      await end();
    });

    it("tries for ever with growing pauses of at most 30 s while the server is away, and logs it once", async () => {
      const { clock, api, told, requests, end } = reflectorBed();
      api.answers.push(
        ...Array.from({ length: 20 }, () => () => Promise.reject(failure("FERRY-K001"))),
      );

      await clock.advance(1_000);
      const early = requests().length;
      await clock.advance(600_000);

      expect(early).toBe(4);
      expect(requests().filter((request) => request === "list")).toHaveLength(17);
      expect(told.filter((line) => line.startsWith("log:"))).toEqual([
        "log: watch failed, trying again",
        "log: watch recovered",
      ]);
      await end();
    });

    it("waits as long as the server asks", async () => {
      const { clock, api, requests, end } = reflectorBed();
      api.answers.push(() => Promise.reject(failure("FERRY-K003", 5_000)));

      await clock.advance(4_999);
      const early = requests();
      await clock.advance(1);

      expect(early).toEqual(["list"]);
      expect(requests()).toEqual(["list", "watch 100"]);
      await end();
    });

    it("survives errors that nobody foresaw", async () => {
      const { clock, api, requests, end } = reflectorBed();
      api.answers.push(() => Promise.reject(new TypeError("surprise")));

      await clock.advance(100);

      expect(requests()).toEqual(["list", "list", "watch 100"]);
      await end();
    });
  });

  describe("when the watch cannot go on", () => {
    it("lists at once after a 410 and reports what it missed: deleted, exchanged, new", async () => {
      const { clock, api, news, requests, told, end } = await watching();
      api.lastWatch.emit(added("a/gone", "u2", "101"));
      news();
      api.objects = [thing("a/x", "u9", "150", "another"), thing("a/new", "u3", "151")];
      api.version = "160";

      api.lastWatch.fail(failure("FERRY-K008"));
      await clock.advance(0);

      expect(requests()).toEqual(["list", "watch 160"]);
      expect(news().toSorted()).toEqual(["missing a/gone", "replaced a/x", "set a/new"]);
      expect(told).toEqual(["failed: FERRY-K008", "listed: version", "relist 2"]);
      await end();
    });

    it("lists at once when its version lies in the server's future", async () => {
      const { clock, api, requests, end } = await watching();

      api.lastWatch.fail(failure("FERRY-K009"));
      await clock.advance(0);

      expect(requests()).toEqual(["list", "watch 100"]);
      await end();
    });

    it("lists at most once a second when every watch answers 410", async () => {
      const { clock, api, requests, end } = await watching();

      for (let round = 0; round < 50; round += 1) {
        if (api.lastWatch.isOpen) api.lastWatch.fail(failure("FERRY-K008"));
        await clock.advance(100);
      }

      expect(requests().filter((request) => request === "list")).toHaveLength(6);
      await end();
    });

    it("goes on after one failure of the server and lists after two in a row", async () => {
      const { clock, api, requests, end } = await watching();

      api.lastWatch.fail(failure("FERRY-K004"));
      await clock.advance(1_000);
      const first = requests();
      api.lastWatch.fail(failure("FERRY-K004"));
      await clock.advance(1_000);

      expect(first).toEqual(["look", "watch 100"]);
      expect(requests()).toEqual(["list", "watch 100"]);
      await end();
    });

    it("does not count failures of the server between which something was delivered", async () => {
      const { clock, api, requests, end } = await watching();

      api.lastWatch.fail(failure("FERRY-K004"));
      await clock.advance(1_000);
      api.lastWatch.emit({ kind: "bookmark", resourceVersion: "100" });
      api.lastWatch.fail(failure("FERRY-K004"));
      await clock.advance(1_000);

      expect(requests()).toEqual(["look", "watch 100", "look", "watch 100"]);
      await end();
    });

    it("goes on from the last version after a broken connection or a silent one, without a list", async () => {
      const { clock, api, requests, end } = await watching();
      api.lastWatch.emit(added("a/y", "u2", "101"));
      api.version = "101";

      api.lastWatch.fail(failure("FERRY-K001"));
      await clock.advance(1_000);
      api.lastWatch.fail(failure("FERRY-K010"));
      await clock.advance(1_000);

      expect(requests()).toEqual(["look", "watch 101", "look", "watch 101"]);
      await end();
    });

    it("pauses longer with each failure in a row, and begins anew once something was delivered", async () => {
      const { clock, api, requests, end } = await watching();
      const pauses: number[] = [];
      const failAndMeasure = async () => {
        const failedMs = clock.monotonicMs();
        const watches = api.watches.length;
        api.lastWatch.fail(failure("FERRY-K001"));
        await clock.runUntil(() => api.watches.length > watches);
        pauses.push(clock.monotonicMs() - failedMs);
      };

      await failAndMeasure();
      await failAndMeasure();
      await failAndMeasure();
      api.lastWatch.emit({ kind: "bookmark", resourceVersion: "100" });
      await failAndMeasure();

      expect(pauses).toEqual([75, 150, 300, 75]);
      expect(requests()).not.toContain("list");
      await end();
    });

    it("lists when the server's version is lower than what it has delivered: etcd was restored from a snapshot", async () => {
      const { clock, api, news, requests, told, end } = await watching();
      api.lastWatch.emit(added("a/y", "u2", "120"));
      news();
      api.version = "110";

      api.lastWatch.fail(failure("FERRY-K001"));
      await clock.advance(1_000);

      expect(requests()).toEqual(["look", "list", "watch 110"]);
      expect(news()).toEqual(["missing a/y"]);
      expect(told).toContain("listed: backwards");
      await end();
    });

    it("lists when a version cannot be compared", async () => {
      const { clock, api, requests, end } = await watching();
      api.onLook = () => list([], "not-a-number");

      api.lastWatch.fail(failure("FERRY-K001"));
      await clock.advance(1_000);

      expect(requests()).toEqual(["look", "list", "watch 100"]);
      await end();
    });

    it("lists when versions go backwards within one watch, and believes nothing of it", async () => {
      const { clock, api, news, requests, end } = await watching();

      api.lastWatch.emit({ kind: "bookmark", resourceVersion: "99" });
      api.lastWatch.emit(added("a/y", "u2", "101"));
      await clock.advance(0);

      expect(news()).toEqual([]);
      expect(requests()).toEqual(["list", "watch 100"]);
      await end();
    });

    it("loses nothing and does not spin when every watch ends at once", async () => {
      const { clock, api, news, requests, end } = await watching();

      for (let round = 0; round < 20; round += 1) {
        api.lastWatch.emit(added("a/x", "u1", String(101 + round), String(round)));
        api.version = String(101 + round);
        const watches = api.watches.length;
        api.lastWatch.end();
        await clock.runUntil(() => api.watches.length > watches);
      }

      expect(news()).toHaveLength(20);
      expect(clock.monotonicMs()).toBeGreaterThan(5_000 + 15_000);
      expect(requests()).not.toContain("list");
      await end();
    });

    it("reconnects without a pause when the watch ends every second", async () => {
      const { clock, api, requests, end } = await watching();
      const startedMs = clock.monotonicMs();

      for (let round = 0; round < 5; round += 1) {
        await clock.advance(1_000);
        api.lastWatch.end();
        await clock.advance(0);
      }

      expect(clock.monotonicMs() - startedMs).toBe(5_000);
      expect(requests()).toEqual(Array.from({ length: 5 }, () => ["look", "watch 100"]).flat());
      await end();
    });
  });

  describe("when it is refused", () => {
    const forbidden = (): Promise<never> => Promise.reject(failure("FERRY-K006"));
    const isThere = () => ({ metadata: { name: "a" } });
    const isGone = () => undefined;

    it("takes a namespace that has gone for an empty one, and goes on trying to list it", async () => {
      const { clock, api, reflector, news, requests, told, settle, end } = reflectorBed(
        undefined,
        "a",
      );
      api.onGet = isGone;
      api.answers.push(forbidden, forbidden);
      await settle();
      await reflector.synced;
      const then = [reflector.isSynced, reflector.state, requests()];

      api.objects = [thing("a/x", "u1", "90", "one")];
      await clock.advance(1_000);

      expect(then).toEqual([true, "synced", ["list", "get namespaces a"]]);
      expect(requests()).toEqual(["list", "get namespaces a", "list", "watch 100"]);
      expect(news()).toEqual(["set a/x"]);
      expect(told).toEqual([
        "failed: FERRY-K006",
        "log: watch failed, trying again",
        "failed: FERRY-K006",
        "log: watch recovered",
        "listed: start",
        "relist 1",
      ]);
      await end();
    });

    it.each([
      ["the watch", { onLook: () => list([], "100"), isOpened: true }],
      ["the look before it", { onLook: forbidden, isOpened: false }],
    ])(
      "reports as missing what it knew of a namespace that has gone, if %s is refused",
      async (_, { onLook, isOpened }) => {
        const { clock, api, reflector, news, requests, end } = await watching(undefined, "a");
        api.onGet = isGone;
        api.onLook = onLook;
        api.answers.push(forbidden);
        if (isOpened) api.lastWatch.fail(failure("FERRY-K006"));
        else api.lastWatch.end();
        await clock.advance(100);

        expect(news()).toEqual(["missing a/x"]);
        expect(reflector.store.size).toBe(0);
        expect(requests().at(-1)).toBe("get namespaces a");
        await end();
      },
    );

    it.each([
      ["the namespace is there", isThere],
      ["the namespace may not be read either", forbidden],
    ])("keeps what it has and lists nothing when %s", async (_, onGet) => {
      const { clock, api, reflector, news, requests, end } = await watching(undefined, "a");
      api.onGet = onGet;
      api.onLook = forbidden;
      api.lastWatch.end();
      await clock.advance(70);

      expect(news()).toEqual([]);
      expect([reflector.store.size, reflector.state]).toEqual([1, "broken"]);
      expect(requests()).toEqual(["look", "get namespaces a"]);
      await end();
    });

    it("is not synced by a refusal that says nothing of the namespace", async () => {
      const { api, reflector, requests, settle, end } = reflectorBed(undefined, "a");
      api.answers.push(forbidden);
      await settle();

      expect(reflector.isSynced).toBe(false);
      expect(requests()).toEqual(["list", "get namespaces a"]);
      await end();
    });
  });

  describe("listing again", () => {
    it("lists about every 15 minutes even if nothing is wrong", async () => {
      const { clock, requests, told, end } = await watching();

      await clock.advance(900_000);

      expect(requests()).toEqual(["list", "watch 100"]);
      expect(told).toEqual(["listed: periodic", "relist 2"]);
      await end();
    });

    it("lists once for many requests, and once more for one that comes while it lists", async () => {
      const { clock, api, reflector, requests, settle, end } = await watching();
      const gate = Promise.withResolvers<void>();
      api.answers.push(async () => {
        await gate.promise;
        return list(api.objects, "100");
      });

      reflector.relist();
      reflector.relist();
      await settle();
      reflector.relist();
      gate.resolve();
      await clock.advance(10_000);

      expect(requests()).toEqual(["list", "watch 100", "list", "watch 100"]);
      await end();
    });

    it("keeps watching until a second has passed since the last list", async () => {
      const { clock, api, reflector, requests, end } = await watching();
      reflector.relist();
      await clock.advance(0);
      requests();

      reflector.relist();
      await clock.advance(999);
      const meanwhile = [requests(), api.lastWatch.isOpen];
      await clock.advance(1);

      expect(meanwhile).toEqual([[], true]);
      expect(requests()).toEqual(["list", "watch 100"]);
      await end();
    });

    it("keeps an assumed write through a list that started before it, and gives it up for one that started after", async () => {
      const { clock, api, reflector, news, settle, end } = await watching();
      const gate = Promise.withResolvers<void>();
      api.answers.push(async () => {
        await gate.promise;
        return list(api.objects, "100");
      });
      reflector.relist();
      await settle();
      reflector.store.assume("a/x", "u1", "101", "ours");

      gate.resolve();
      await settle();
      const first = [news(), reflector.store.get("a/x")];
      reflector.relist();
      await clock.advance(1_000);

      expect(first).toEqual([[], "ours"]);
      expect([news(), reflector.store.get("a/x")]).toEqual([["set a/x"], "one"]);
      await end();
    });

    it("lists when the watch has not confirmed a write of ours for a minute", async () => {
      const { clock, reflector, requests, told, end } = await watching();
      reflector.store.assume("a/x", "u1", "101", "ours");

      await clock.advance(59_000);
      const early = requests();
      await clock.advance(31_000);

      expect(early).toEqual([]);
      expect(requests()).toEqual(["list", "watch 100"]);
      expect(told).toContain("listed: unconfirmed");
      await end();
    });
  });

  describe("with a consumer that throws", () => {
    const picky = (object: { text?: string }) => {
      if (object.text === "bad") throw new Error("cannot read this");
      return object.text;
    };

    it("passes over the object, keeps its last good state and goes on", async () => {
      const { api, reflector, news, told, end } = await watching(picky);

      api.lastWatch.emit(added("a/x", "u1", "101", "bad"));
      api.lastWatch.emit(added("a/y", "u2", "102", "bad"));
      api.lastWatch.emit(added("a/z", "u3", "103", "good"));

      expect(news()).toEqual(["set a/z"]);
      expect([...reflector.store.values()]).toEqual(["one", "good"]);
      expect(told).toEqual(["skipped", "log: object passed over", "skipped"]);
      await end();
    });

    it("does not call an unreadable object missing in a list", async () => {
      const { clock, api, reflector, news, end } = await watching(picky);
      api.objects = [thing("a/x", "u1", "101", "bad")];

      reflector.relist();
      await clock.advance(0);

      expect(news()).toEqual([]);
      expect(reflector.store.get("a/x")).toBe("one");
      await end();
    });
  });

  describe("merging", () => {
    /** Keeps only what is tracked. */
    async function tracking() {
      const tracked = new Set<string>();
      const bed = await watching((object) =>
        tracked.has(object.metadata.name) ? object.text : undefined,
      );
      bed.api.objects = [thing("a/x", "u1", "90", "one"), thing("a/y", "u2", "91", "two")];
      return { ...bed, tracked };
    }

    it("adds what just became wanted, of the part that was asked for", async () => {
      const { api, reflector, tracked, news, end } = await tracking();
      const asked: unknown[] = [];
      api.answers.push((options) => {
        asked.push(options);
        return list(api.objects, "100");
      });

      tracked.add("x");
      await reflector.merge({ namespace: "a", labelSelector: "name=x" }, never);

      expect(news()).toEqual(["set a/x"]);
      expect(asked).toMatchObject([{ namespace: "a", labelSelector: "name=x" }]);
      await end();
    });

    it("leaves to the watch what that deleted while the list was on its way", async () => {
      const { api, reflector, tracked, news, end } = await tracking();
      tracked.add("x");
      api.answers.push(() => {
        api.lastWatch.emit(deleted("a/x", "u1", "101"));
        return list(api.objects, "100");
      });

      await reflector.merge({}, never);

      expect(news()).toEqual([]);
      expect(reflector.store.size).toBe(0);
      await end();
    });

    it("asks again when a relist came between, so that this does not wipe what was merged", async () => {
      const { clock, api, reflector, tracked, news, requests, settle, end } = await tracking();
      const gate = Promise.withResolvers<void>();
      // The relist reads its page before the name is tracked; the merge begins before the relist does.
      api.answers.push(async () => {
        await gate.promise;
        return list(api.objects, "100");
      });
      const merged = (async () => {
        tracked.add("x");
        await reflector.merge({}, never);
      })();

      reflector.relist();
      await settle();
      gate.resolve();
      await clock.advance(0);
      await merged;

      expect(requests()).toEqual(["list", "list", "watch 100", "list"]);
      expect(news()).toEqual(["set a/x"]);
      await end();
    });

    it("waits for the end of a relist on its way", async () => {
      const { clock, api, reflector, tracked, requests, settle, end } = await tracking();
      const gate = Promise.withResolvers<void>();
      api.answers.push(async () => {
        await gate.promise;
        return list(api.objects, "100");
      });
      reflector.relist();
      await settle();

      tracked.add("x");
      const merged = reflector.merge({}, never);
      await settle();
      const meanwhile = requests();
      gate.resolve();
      await clock.advance(0);
      await merged;

      expect(meanwhile).toEqual(["list"]);
      expect(requests().toSorted()).toEqual(["list", "watch 100"]);
      expect(reflector.store.get("a/x")).toBe("one");
      await end();
    });

    it("fails with the list's error and merges nothing", async () => {
      const { api, reflector, tracked, news, end } = await tracking();
      tracked.add("x");
      api.answers.push(() => Promise.reject(failure("FERRY-K001")));

      await expect(reflector.merge({}, never)).rejects.toMatchObject({ code: "FERRY-K001" });
      expect(news()).toEqual([]);
      await end();
    });
  });
});
