import { describe, expect, it } from "vitest";
import { winner } from "../../../../src/domain/conflict.js";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { service, type ServiceBuilder } from "../../../fixtures/service.js";

const takingOver = (one: ServiceBuilder, other: ServiceKey): ServiceBuilder =>
  one.annotation("svc-ferry.io/takeover", other);
const releasedTo = (one: ServiceBuilder, other: ServiceKey): ServiceBuilder =>
  one.annotation("svc-ferry.io/release-to", other);

describe("winner", () => {
  const old = service("shop/web").created(0);
  const young = service("cart/web").created(10);

  it("is nobody without candidates, even with a holder", () => {
    expect(winner([], "shop/web")).toBeUndefined();
  });

  it.each([
    ["the oldest without a holder", [young, old], undefined, "shop/web"],
    [
      "the first by name when both are of the same second",
      [old, young.created(0)],
      undefined,
      "cart/web",
    ],
    ["the holder, though it is the youngest", [old, young], "cart/web", "cart/web"],
    ["the oldest when the holder no longer wants the name", [young, old], "gone/web", "shop/web"],
  ] as const)("is %s", (_, candidates, holder, expected) => {
    expect(keyOf(winner(candidates, holder))).toBe(expected);
  });

  describe("with a takeover", () => {
    const next = takingOver(service("shop/next").created(5), "shop/web");

    it.each([
      ["the new one of the same namespace", [old, next], "shop/next"],
      ["the new one of the same second", [old, next.created(0)], "shop/next"],
      [
        "the oldest of several new ones",
        [old, takingOver(service("shop/b").created(6), "shop/web"), next],
        "shop/next",
      ],
      ["the holder, if the other is older", [old.created(20), next], "shop/web"],
      ["the holder, if another is meant", [old, takingOver(next, "shop/other")], "shop/web"],
      [
        "the holder, if it did not release the name to the other namespace",
        [old, takingOver(young, "shop/web")],
        "shop/web",
      ],
      [
        "the other namespace's, if the holder released the name to it",
        [releasedTo(old, "cart/web"), takingOver(young, "shop/web")],
        "cart/web",
      ],
      [
        "the holder, if it released the name to a third one",
        [releasedTo(old, "bank/web"), takingOver(young, "shop/web")],
        "shop/web",
      ],
      [
        "the holder, if the two name each other",
        [takingOver(old, "shop/next"), next.created(0)],
        "shop/web",
      ],
    ] as const)("is %s", (_, candidates, expected) => {
      expect(keyOf(winner(candidates, "shop/web"))).toBe(expected);
    });

    it("is the oldest while nobody holds the name: there is nothing to take over", () => {
      expect(keyOf(winner([next, old], undefined))).toBe("shop/web");
    });

    it("does not let the name go round when three of the same second name each other", () => {
      const ring = [
        takingOver(service("shop/a"), "shop/b"),
        takingOver(service("shop/b"), "shop/c"),
        takingOver(service("shop/c"), "shop/a"),
      ];

      expect(keyOf(winner(ring, "shop/a"))).toBe("shop/a");
    });

    it("moves along a chain of renames, one step at a time", () => {
      const third = takingOver(service("shop/third").created(7), "shop/next");

      expect(keyOf(winner([old, next, third], "shop/web"))).toBe("shop/next");
      expect(keyOf(winner([old, next, third], "shop/next"))).toBe("shop/third");
      expect(keyOf(winner([old, next, third], "shop/third"))).toBe("shop/third");
    });
  });
});

function keyOf(one: { namespace: string; name: string } | undefined): string | undefined {
  return one && `${one.namespace}/${one.name}`;
}
