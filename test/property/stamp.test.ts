import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Service, StringMap } from "../../src/domain/objects.js";
import { matters, stampAnnotations, stampIn } from "../../src/domain/stamp.js";
import { sha256 } from "../../src/runtime/sha256.js";
import { Mutator } from "../../webhook/mutator.js";
import { SeededRandom } from "../fakes/seeded-random.js";
import { VirtualClock } from "../fakes/virtual-clock.js";
import { sourceService } from "../fixtures/arbitraries.js";
import { installed, mappingContext } from "../fixtures/installation.js";
import { patched } from "../fixtures/patched.js";
import { route } from "../fixtures/route.js";
import { service } from "../fixtures/service.js";
import { SIGNER } from "../fixtures/signer.js";
import { stampAuthor } from "../fixtures/stamp-author.js";

const CONTEXT = { ...mappingContext(route()), ...installed() };

/** Selected or not. */
const anyService = fc.oneof(
  sourceService.map((one): Service => one),
  sourceService.map((one): Service => one.with({ labels: {} })),
  fc.constant<Service>(service("shop/web").ferried()),
);

/** What a user may have brought along. */
const brought = fc.option(
  fc
    .record({
      id: fc.constantFrom("1", "2"),
      by: fc.constantFrom("ann", "bob"),
      at: fc.constantFrom("2026-01-01T00:00:00.000Z", "never"),
      signature: fc.constantFrom("", "x"),
    })
    .map(stampAnnotations),
  { nil: {} as StringMap },
);

function mutatorOf() {
  const parts = { clock: new VirtualClock(), random: new SeededRandom(1), digest: sha256 };
  const rules = { context: () => CONTEXT, signer: () => SIGNER, shown: (name: string) => name };
  const mutator = new Mutator({ ...parts, ...rules });
  return (
    before: Service | undefined,
    after: Service,
    username = "ann",
    dryRun = false,
  ): Service => {
    const { annotations } = after;
    const operations = mutator.mutate({ dryRun, username, before, after, annotations });
    return { ...plainly(after), annotations: patched(annotations, operations) };
  };
}

/** Without the builder's methods. */
function plainly(one: Service): Service {
  const { namespace, name, uid, resourceVersion, creationTimestamp, deleting, labels, spec } = one;
  const identity = { namespace, name, uid, resourceVersion, creationTimestamp, deleting };
  return { ...identity, labels, spec, annotations: one.annotations };
}

describe("the stamp", () => {
  it("is a fixpoint: asked about its own answer, by whichever replica, it has nothing to add", () => {
    fc.assert(
      fc.property(fc.option(anyService, { nil: undefined }), anyService, (before, after) => {
        const once = mutatorOf()(before, after);

        expect(mutatorOf()(before, once)).toEqual(once);
      }),
    );
  });

  it("is on whatever means something, by who did it, and on nothing else", () => {
    fc.assert(
      fc.property(anyService, anyService, brought, (first, second, annotations) => {
        const admit = mutatorOf();
        const stored = admit(undefined, plainly(first), "ann");
        const mixed = {
          ...plainly(second),
          annotations: { ...second.annotations, ...annotations },
        };

        const after = admit(stored, mixed, "bob");

        if (matters(stored, mixed, CONTEXT)) {
          expect(stampAuthor(after, CONTEXT)).toMatchObject({
            kind: "known",
            change: { by: "bob" },
          });
        } else {
          expect(stampIn(after.annotations)).toEqual(stampIn(stored.annotations));
        }
      }),
    );
  });

  it("is not made on a dry run, which shows the one before", () => {
    fc.assert(
      fc.property(anyService, anyService, brought, (first, second, annotations) => {
        const admit = mutatorOf();
        const stored = admit(undefined, plainly(first));
        const mixed = {
          ...plainly(second),
          annotations: { ...second.annotations, ...annotations },
        };

        const after = admit(stored, mixed, "bob", true);

        expect(stampIn(after.annotations)).toEqual(stampIn(stored.annotations));
      }),
    );
  });
});
