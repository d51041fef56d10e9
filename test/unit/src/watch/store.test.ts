import { describe, expect, it } from "vitest";
import { Store } from "../../../../src/watch/store.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const version = (uid: string, resourceVersion: string) => ({ uid, resourceVersion });

function given() {
  const clock = new VirtualClock();
  const store = new Store<string>(clock);
  /** A relist with these objects, from begin to end. */
  const relist = (objects: Record<string, readonly [string, string, string]>) => {
    const replacement = store.beginReplace();
    for (const [key, [uid, resourceVersion, value]] of Object.entries(objects)) {
      replacement.add(key, version(uid, resourceVersion), value);
    }
    return replacement.commit();
  };
  return { clock, store, relist };
}

describe("Store", () => {
  it("shows what the watch delivers and says what changed for readers", () => {
    const { store } = given();

    const added = store.observe("a/x", version("u1", "1"), "one");
    const modified = store.observe("a/x", version("u1", "2"), "two");
    const deleted = store.observeDeleted("a/x", version("u1", "3"));

    expect(added).toEqual({ kind: "set", key: "a/x", value: "one", previous: undefined });
    expect(modified).toEqual({ kind: "set", key: "a/x", value: "two", previous: "one" });
    expect(deleted).toEqual({ kind: "deleted", key: "a/x", previous: "two", evidence: true });
    expect([store.size, store.has("a/x"), [...store.keys()]]).toEqual([0, false, []]);
  });

  it("says nothing about an event that repeats a version", () => {
    const { store } = given();
    store.observe("a/x", version("u1", "1"), "one");

    expect(store.observe("a/x", version("u1", "1"), "one")).toBeUndefined();
  });

  it("says that an object is no longer kept without calling it deleted", () => {
    const { store } = given();
    store.observe("a/x", version("u1", "1"), "one");

    const change = store.observe("a/x", version("u1", "2"), undefined);

    expect(change).toEqual({ kind: "dropped", key: "a/x", previous: "one", evidence: false });
    expect(store.size).toBe(0);
  });

  it("ignores the DELETED of an object that has been replaced under the same name", () => {
    const { store } = given();
    store.observe("a/x", version("u2", "5"), "new");

    expect(store.observeDeleted("a/x", version("u1", "4"))).toBeUndefined();
    expect(store.get("a/x")).toBe("new");
  });

  describe("replaced by a relist", () => {
    it("reports what is new, changed, exchanged and missing, and nothing of what is equal", () => {
      const { store, relist } = given();
      store.observe("a/equal", version("u1", "1"), "equal");
      store.observe("a/changed", version("u2", "2"), "old");
      store.observe("a/exchanged", version("u3", "3"), "first");
      store.observe("a/gone", version("u4", "4"), "gone");

      const changes = relist({
        "a/equal": ["u1", "1", "equal"],
        "a/changed": ["u2", "12", "new"],
        "a/exchanged": ["u33", "13", "second"],
        "a/new": ["u5", "15", "new"],
      });

      expect(changes.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([
        { kind: "set", key: "a/changed", value: "new", previous: "old" },
        { kind: "replaced", key: "a/exchanged", value: "second", previous: "first" },
        { kind: "missing", key: "a/gone", previous: "gone", evidence: false },
        { kind: "set", key: "a/new", value: "new", previous: undefined },
      ]);
      expect(store.size).toBe(4);
    });

    it("keeps the object that it has when the listed one is the same version, so that memory holds one copy", () => {
      const { store, relist } = given();
      store.observe("a/x", version("u1", "1"), "one");
      const before = store.stored("a/x");

      relist({ "a/x": ["u1", "1", "one"] });

      expect(store.stored("a/x")).toBe(before);
    });

    it("shows nothing of a list that was not finished", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");

      store.beginReplace().add("a/y", version("u2", "2"), "two");

      expect([...store.values()]).toEqual(["one"]);
    });

    it("calls an object that is listed but no longer kept dropped, not missing", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      const replacement = store.beginReplace();
      replacement.add("a/x", version("u1", "2"), undefined);

      expect(replacement.commit()).toEqual([
        { kind: "dropped", key: "a/x", previous: "one", evidence: false },
      ]);
    });

    it("leaves an object as it is that could not be read", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      const replacement = store.beginReplace();
      replacement.keepAsItIs("a/x");
      replacement.keepAsItIs("a/never-seen");

      expect(replacement.commit()).toEqual([]);
      expect([...store.keys()]).toEqual(["a/x"]);
    });
  });

  describe("with a write of our own assumed", () => {
    it("shows the write at once and reports nothing when the watch delivers exactly it", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");

      store.assume("a/x", "u1", "2", "two");
      const shown = store.get("a/x");
      const change = store.observe("a/x", version("u1", "2"), "two");

      expect(shown).toBe("two");
      expect(change).toBeUndefined();
      expect(store.oldestAssumptionMs).toBeUndefined();
    });

    it("hides older events that were on their way, and reports what comes after the write", () => {
      const { store } = given();
      store.assume("a/x", "u1", "3", "ours");

      const older = [
        store.observe("a/x", version("u1", "1"), "one"),
        store.observe("a/x", version("u1", "2"), "two"),
      ];
      const shown = store.get("a/x");
      store.observe("a/x", version("u1", "3"), "ours");
      const later = store.observe("a/x", version("u1", "4"), "theirs");

      expect(older).toEqual([undefined, undefined]);
      expect(shown).toBe("ours");
      expect(later).toEqual({ kind: "set", key: "a/x", value: "theirs", previous: "ours" });
    });

    it("is confirmed by its own event without another look at the object", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      store.assume("a/x", "u1", "2", "two");

      const others = [
        store.confirms("a/x", version("u1", "1")),
        store.confirms("a/x", version("u2", "2")),
        store.confirms("a/y", version("u1", "2")),
      ];
      const itself = store.confirms("a/x", version("u1", "2"));
      const again = store.confirms("a/x", version("u1", "2"));

      expect([...others, itself, again]).toEqual([false, false, false, true, false]);
      expect([store.get("a/x"), store.oldestAssumptionMs]).toEqual(["two", undefined]);
      expect(store.isPast("a/x", "2")).toBe(true);
    });

    it("assumes nothing when the event came before the answer, not even with a later event behind it", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "2"), "ours");
      store.observe("a/x", version("u1", "3"), "theirs");

      store.assume("a/x", "u1", "2", "ours");

      expect(store.get("a/x")).toBe("theirs");
      expect(store.oldestAssumptionMs).toBeUndefined();
    });

    it("assumes nothing when a write changed nothing and its version has been listed", () => {
      const { store, relist } = given();
      relist({ "a/x": ["u1", "1", "one"] });

      store.assume("a/x", "u1", "1", "one");

      expect(store.oldestAssumptionMs).toBeUndefined();
    });

    it("shows a deleted object no more, whatever older events say, until the DELETED of its uid came", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      store.assumeDeleted("a/x", "u1");

      const older = store.observe("a/x", version("u1", "2"), "two");
      const hidden = store.has("a/x");
      const deleted = store.observeDeleted("a/x", version("u1", "3"));
      const created = store.observe("a/x", version("u2", "4"), "new");

      expect([older, hidden, deleted]).toEqual([undefined, false, undefined]);
      expect(created).toEqual({ kind: "set", key: "a/x", value: "new", previous: undefined });
    });

    it("assumes an object that was read after it had left the selector, with the version of its DELETED", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      store.observeDeleted("a/x", version("u1", "2"));

      store.assume("a/x", "u1", "2", "without its label");

      expect(store.get("a/x")).toBe("without its label");
    });

    it("ends an older assumption when the event of the next write came before its answer", () => {
      const { store } = given();
      store.observeDeleted("a/x", version("u1", "2"));
      store.assume("a/x", "u1", "2", "without its label");
      store.observe("a/x", version("u1", "3"), "with its label");

      store.assume("a/x", "u1", "3", "with its label");

      expect(store.get("a/x")).toBe("with its label");
      expect(store.oldestAssumptionMs).toBeUndefined();
    });

    it("assumes no deletion that the watch delivered before the answer", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      store.observeDeleted("a/x", version("u1", "2"));

      store.assumeDeleted("a/x", "u1");
      store.observe("a/x", version("u2", "3"), "new");

      expect(store.get("a/x")).toBe("new");
    });

    it("hides an object that was created and deleted before the watch told of either", () => {
      const { store } = given();
      store.assume("a/x", "u1", "1", "one");
      store.assumeDeleted("a/x", "u1");

      const changes = [
        store.observe("a/x", version("u1", "1"), "one"),
        store.observeDeleted("a/x", version("u1", "2")),
      ];

      expect(changes).toEqual([undefined, undefined]);
      expect(store.size).toBe(0);
      expect(store.oldestAssumptionMs).toBeUndefined();
    });

    it("shows the re-created object while the DELETED of the old one is still on its way", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "old");
      store.assumeDeleted("a/x", "u1");
      store.assume("a/x", "u2", "3", "new");

      const change = store.observeDeleted("a/x", version("u1", "2"));

      expect(change).toBeUndefined();
      expect(store.get("a/x")).toBe("new");
    });

    it("is ended by the DELETED of its uid, whatever version was assumed", () => {
      const { store } = given();
      store.assume("a/x", "u1", "3", "ours");

      const change = store.observeDeleted("a/x", version("u1", "9"));

      expect(change).toMatchObject({ kind: "deleted", previous: "ours" });
      expect(store.size).toBe(0);
    });

    it("is replaced by a relist that started after the write", () => {
      const { store, relist } = given();
      store.assume("a/x", "u1", "3", "ours");
      store.assume("a/y", "u2", "4", "ours");

      const changes = relist({ "a/x": ["u1", "5", "theirs"] });

      expect(changes).toEqual([
        { kind: "set", key: "a/x", value: "theirs", previous: "ours" },
        { kind: "missing", key: "a/y", previous: "ours", evidence: false },
      ]);
    });

    it("outlives a relist that started before the write, and is confirmed by one that holds exactly it", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "one");
      store.observe("a/y", version("u2", "2"), "one");
      const replacement = store.beginReplace();
      store.assume("a/x", "u1", "3", "ours");
      store.assume("a/y", "u2", "4", "ours");

      replacement.add("a/x", version("u1", "1"), "one");
      replacement.add("a/y", version("u2", "4"), "ours");
      const changes = replacement.commit();
      const later = store.observe("a/y", version("u2", "5"), "theirs");

      expect(changes).toEqual([]);
      expect(store.get("a/x")).toBe("ours");
      expect(later).toMatchObject({ kind: "set", previous: "ours" });
    });

    it("tells since when the oldest assumption has been unconfirmed", async () => {
      const { clock, store } = given();
      store.assume("a/x", "u1", "1", "one");
      await clock.advance(10);
      store.assume("a/y", "u2", "2", "one");
      store.assume("a/x", "u1", "3", "two");
      await clock.advance(10);

      expect(store.oldestAssumptionMs).toBe(10);
    });
  });

  describe("with an index", () => {
    const byLetter = (value: string) => value.split("");

    it("finds objects by each of their values, those that were there before it included", () => {
      const { store } = given();
      store.observe("a/x", version("u1", "1"), "ab");
      store.index("letter", byLetter);
      store.observe("a/y", version("u2", "2"), "bc");

      expect(store.byIndex("letter", "b")).toEqual(["ab", "bc"]);
      expect(store.keysBy("letter", "c")).toEqual(["a/y"]);
    });

    it("follows changes, assumptions, deletions and relists", () => {
      const { store, relist } = given();
      store.index("letter", byLetter);
      store.observe("a/x", version("u1", "1"), "a");
      const steps: unknown[] = [];
      const look = () =>
        steps.push(["a", "b", "c"].map((letter) => store.keysBy("letter", letter)));

      store.assume("a/x", "u1", "2", "b");
      look();
      store.observe("a/x", version("u1", "2"), "b");
      look();
      store.assumeDeleted("a/x", "u1");
      look();
      relist({ "a/x": ["u1", "2", "b"], "a/z": ["u3", "3", "c"] });
      look();

      expect(steps).toEqual([
        [[], ["a/x"], []],
        [[], ["a/x"], []],
        [[], [], []],
        [[], ["a/x"], ["a/z"]],
      ]);
    });
  });

  describe("merging a list beside the watch", () => {
    it("adds what it lacks and leaves alone what the watch has set or deleted since the merge began", () => {
      const { store } = given();
      store.observe("a/known", version("u1", "1"), "known");
      const merge = store.beginMerge();
      store.observe("a/set", version("u2", "12"), "newer");
      store.observeDeleted("a/deleted", version("u3", "13"));

      const changes = [
        merge.add("a/known", version("u1", "1"), "listed"),
        merge.add("a/set", version("u2", "2"), "older"),
        merge.add("a/deleted", version("u3", "3"), "older"),
        merge.add("a/new", version("u4", "4"), "listed"),
      ];

      expect(changes).toEqual([
        undefined,
        undefined,
        undefined,
        { kind: "set", key: "a/new", value: "listed", previous: undefined },
      ]);
      expect([...store.values()]).toEqual(["known", "newer", "listed"]);
    });
  });

  it("forgets an object that its consumer drops", () => {
    const { store } = given();
    store.observe("a/x", version("u1", "1"), "one");
    store.assume("a/x", "u1", "2", "two");

    store.drop("a/x");

    expect([store.size, store.get("a/x")]).toEqual([0, undefined]);
  });
});
