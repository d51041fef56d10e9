import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServiceKey } from "../../src/domain/service-key.js";
import { TargetIndex } from "../../src/intake/target-index.js";
import { route } from "../fixtures/route.js";

const SOURCES: readonly ServiceKey[] = ["shop/a", "shop/b", "cart/a"];
const TARGETS: readonly ServiceKey[] = ["prod/a", "prod/b", "test/a"];
const ROUTES = [route("one").into("b"), route("two").into("c")];

const mapped = fc.uniqueArray(
  fc.record({ route: fc.constantFrom(...ROUTES), target: fc.constantFrom(...TARGETS) }),
  { maxLength: 3, selector: (one) => `${one.route.destination} ${one.target}` },
);
const steps = fc.array(fc.tuple(fc.constantFrom(...SOURCES), mapped), { maxLength: 12 });

describe("TargetIndex", () => {
  it("answers as a list of all mappings would", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const index = new TargetIndex();
        const model = new Map<ServiceKey, readonly string[]>();

        for (const [source, next] of all) {
          const before = model.get(source) ?? [];
          const after = next.map((one) => `${one.route.destination} ${one.target}`);
          const lost = index.replace(source, next);
          model.set(source, after);

          expect(lost.map((one) => `${one.destination} ${one.target}`)).toEqual(
            before.filter((one) => !after.includes(one)),
          );
        }

        expect(shown(index)).toEqual(expected(model));
      }),
    );
  });

  it("forgets everything about sources that go nowhere", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const index = new TargetIndex();
        for (const [source, next] of all) index.replace(source, next);

        for (const source of SOURCES) index.replace(source, []);

        expect(shown(index)).toEqual(expected(new Map()));
        expect(["b", "c"].flatMap((destination) => [...index.targets(destination)])).toEqual([]);
      }),
    );
  });
});

/** Everything that the index can be asked. */
function shown(index: TargetIndex) {
  const wants = ["b", "c"].flatMap((destination) =>
    TARGETS.flatMap((target) =>
      index.sources(destination, target).map(({ source }) => `${source}: ${destination} ${target}`),
    ),
  );
  const goes = SOURCES.flatMap((source) =>
    index.of(source).map(({ destination, target }) => `${source}: ${destination} ${target}`),
  );
  const tracked = SOURCES.filter((source) => index.has(source));
  const targets = ["b", "c"].map((destination) => [...index.targets(destination)].sort());
  return { wants: wants.sort(), goes: goes.sort(), tracked, targets };
}

function expected(model: ReadonlyMap<ServiceKey, readonly string[]>) {
  const all = [...model].flatMap(([source, one]) => one.map((to) => `${source}: ${to}`)).sort();
  const flat = [...model.values()].flat();
  const targets = ["b", "c"].map((destination) =>
    TARGETS.filter((target) => flat.includes(`${destination} ${target}`)),
  );
  const tracked = SOURCES.filter((source) => (model.get(source) ?? []).length > 0);
  return { wants: all, goes: all, tracked, targets };
}
