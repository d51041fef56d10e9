import { describe, expect, it } from "vitest";
import { Tombstones } from "../../../../sidecar/ledger/tombstones.js";

describe("Tombstones", () => {
  it("are kept until the mark has passed them", () => {
    const tombstones = new Tombstones();
    tombstones.add("a", 5n);
    tombstones.add("b", 7n);

    tombstones.passed(6n);

    expect([tombstones.covers("a", 4n), tombstones.covers("b", 4n)]).toEqual([false, true]);
  });

  it("are kept for whoever still offers what was read before", () => {
    const tombstones = new Tombstones();
    const reader = tombstones.reads();
    tombstones.add("a", 5n);
    tombstones.add("b", 7n);

    reader.isAt(6n);
    tombstones.passed(10n);
    const during = [tombstones.covers("a", 4n), tombstones.covers("b", 4n)];
    reader.end();
    tombstones.passed(10n);

    expect(during).toEqual([false, true]);
    expect(tombstones.size).toBe(0);
  });

  it("are not kept from before somebody began to read", () => {
    const tombstones = new Tombstones();
    tombstones.add("a", 5n);
    tombstones.passed(4n);
    tombstones.reads();

    tombstones.add("b", 4n);
    tombstones.passed(10n);

    expect([tombstones.covers("a", 4n), tombstones.covers("b", 4n)]).toEqual([true, false]);
  });

  it("remember what was never here only while somebody reads", () => {
    const tombstones = new Tombstones();
    tombstones.sawGone("a", 5n);
    tombstones.reads();
    tombstones.sawGone("b", 5n);

    expect([tombstones.covers("a", 5n), tombstones.covers("b", 5n)]).toEqual([false, true]);
  });

  it("never forget a newer word for an older one", () => {
    const tombstones = new Tombstones();
    tombstones.add("a", 7n);
    tombstones.add("a", 5n);

    expect(tombstones.covers("a", 6n)).toBe(true);
  });
});
