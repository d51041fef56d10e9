import { describe, expect, it } from "vitest";
import type { Service } from "../../../src/domain/objects.js";
import { stampAnnotations, stampIn } from "../../../src/domain/stamp.js";
import { sha256 } from "../../../src/runtime/sha256.js";
import { Mutator, type Mutation } from "../../../webhook/mutator.js";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { installed, mappingContext } from "../../fixtures/installation.js";
import { route } from "../../fixtures/route.js";
import { service } from "../../fixtures/service.js";
import { SIGNER } from "../../fixtures/signer.js";
import { stampAuthor } from "../../fixtures/stamp-author.js";
import { heldBytes } from "../../harness/held-bytes.js";
import { patched } from "../../fixtures/patched.js";

const CONTEXT = { ...mappingContext(route()), ...installed() };
const plain = service("shop/web");
const web = plain.ferried();

function mutatorBed() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const state = { isLoaded: true };
  const mutator = new Mutator({
    clock,
    random,
    digest: sha256,
    context: () => CONTEXT,
    signer: () => (state.isLoaded ? SIGNER : undefined),
    shown: (username) => username,
  });
  /** The object as it is stored after our answer. */
  const admit = (
    before: Service | undefined,
    after: Service,
    more: Partial<Pick<Mutation, "dryRun" | "username">> = {},
  ): Service => {
    const { annotations } = after;
    const operations = mutator.mutate({
      ...{ dryRun: false, username: "ann", before, after, annotations },
      ...more,
    });
    return { ...fields(after), annotations: patched(annotations, operations) };
  };
  return { clock, mutator, admit, state };
}

/** Without the builder's methods. */
function fields(of: Service): Service {
  const { namespace, name, uid, resourceVersion, creationTimestamp, deleting, labels, spec } = of;
  const { annotations, generateName } = of;
  const base = { namespace, name, uid, resourceVersion, creationTimestamp, deleting };
  return { ...base, generateName, labels, annotations, spec };
}

function author(of: Service) {
  return stampAuthor(of, CONTEXT);
}

describe("Mutator", () => {
  it("stamps who made a new Service what it is, and when", () => {
    const { admit } = mutatorBed();

    const stored = admit(undefined, web);

    expect(author(stored)).toMatchObject({
      kind: "known",
      change: { by: "ann", at: "2026-01-01T00:00:00.000Z" },
    });
  });

  it("leaves a Service alone that nobody wants to sync", () => {
    const { admit } = mutatorBed();

    expect(admit(undefined, plain).annotations).toEqual({});
    expect(admit(plain, plain.port(81)).annotations).toEqual({});
  });

  it("stamps the removal of the label, too", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);

    const removed = admit(stored, { ...stored, labels: {} }, { username: "bob" });

    expect(author(removed)).toMatchObject({ kind: "known", change: { by: "bob" } });
  });

  it("keeps the stamp when a change means nothing", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);
    const annotations = { ...stored.annotations, "example.com/note": "x" };

    const after = admit(stored, { ...stored, annotations }, { username: "bob" });

    expect(after.annotations).toEqual(annotations);
  });

  it("gives the stamp back that an update without it would take away", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);

    const after = admit(stored, fields(web), { username: "argocd" });

    expect(after.annotations).toEqual(stored.annotations);
  });

  it("takes off a stamp that the user brought along", () => {
    const { admit } = mutatorBed();
    const other = admit(undefined, service("shop/other").ferried());

    const copied = admit(undefined, { ...fields(plain), annotations: other.annotations });

    expect(copied.annotations).toEqual({});
  });

  it("does not take a stamp of before for the present user's", () => {
    const { admit } = mutatorBed();
    const first = admit(undefined, web);
    const second = admit(first, { ...first, spec: web.port(81).spec });

    const back = admit(second, fields(web.with({ annotations: first.annotations })), {
      username: "bob",
    });

    expect(author(back)).toMatchObject({ kind: "known", change: { by: "bob" } });
  });

  it("does not take an old stamp of the same user for this change", async () => {
    const { admit, clock } = mutatorBed();
    const first = admit(undefined, web);
    const second = admit(first, { ...first, spec: web.port(81).spec });
    await clock.advance(60_000);

    const back = admit(second, fields(web.with({ annotations: first.annotations })));

    expect(stampIn(back.annotations)?.id).not.toBe(stampIn(first.annotations)?.id);
  });

  it("stamps nothing on a dry run, and shows the old stamp", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);
    const changed = { ...stored, spec: web.port(81).spec };

    expect(admit(undefined, web, { dryRun: true }).annotations).toEqual({});
    expect(admit(stored, changed, { dryRun: true }).annotations).toEqual(stored.annotations);
  });

  it("has nothing to add to its own answer", () => {
    const { admit } = mutatorBed();
    const once = admit(undefined, web);

    expect(admit(undefined, once).annotations).toEqual(once.annotations);
  });

  it("gives a retry of the same change its id, and a later one its own", async () => {
    const { admit, clock } = mutatorBed();
    const id = (of: Service) => stampIn(of.annotations)?.id;

    const first = id(admit(undefined, web));
    const retry = id(admit(undefined, web));
    const other = id(admit(undefined, web, { username: "bob" }));
    await clock.advance(10_001);
    const later = id(admit(undefined, web));

    expect(retry).toBe(first);
    expect(new Set([first, other, later]).size).toBe(3);
  });

  it("tells changes with megabytes in them apart as it does short ones", () => {
    const { admit } = mutatorBed();
    const id = (of: Service) => stampIn(of.annotations)?.id;
    const long = (end: string): Service =>
      web.with({ labels: { ...web.labels, x: `${"x".repeat(2_000_000)}${end}` } });

    const first = id(admit(undefined, long("a")));
    const retry = id(admit(undefined, long("a")));
    const other = id(admit(undefined, long("b")));

    expect(retry).toBe(first);
    expect(other).not.toBe(first);
  });

  it("gives a change that comes again and again an id of its own every ten seconds", async () => {
    const { admit, clock } = mutatorBed();
    const id = (of: Service) => stampIn(of.annotations)?.id;

    const first = id(admit(undefined, web));
    await clock.advance(6_000);
    const second = id(admit(undefined, web));
    await clock.advance(6_000);
    const third = id(admit(undefined, web));

    expect([second === first, third === first]).toEqual([true, false]);
  });

  it("signs what a generated name is made of, because the name comes later", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, { ...fields(web), name: "", generateName: "web-" });

    expect(author({ ...stored, name: "web-x7k2p", generateName: "web-" }).kind).toBe("known");
  });

  it("knows by whom a Service with a generated name is changed, and that nobody was seen", () => {
    const { admit } = mutatorBed();
    const asked = { ...fields(web), name: "", generateName: "web-" };
    const stored = { ...admit(undefined, asked), name: "web-x7k2p", uid: "u-1" };
    const { spec } = web.port(81);

    const changed = admit(stored, { ...stored, spec }, { username: "bob" });

    expect(author(changed)).toMatchObject({ kind: "known", change: { by: "bob" } });
    expect(author({ ...stored, spec })).toMatchObject({ kind: "unknown", last: { by: "ann" } });
  });

  it("gives each Service of one generated name an id of its own", () => {
    const { admit } = mutatorBed();
    const asked = { ...fields(web), name: "", generateName: "web-" };

    const ids = [1, 2].map(() => stampIn(admit(undefined, asked).annotations)?.id);

    expect(new Set(ids).size).toBe(2);
  });

  it("signs what lasts when routes, records and link of the installation change", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);
    const other = {
      ...mappingContext(route(), route("more").with({ destination: "c" })),
      ...installed(),
      link: "another",
      routeRecords: new Map([["r", "r@1234"]]),
    };

    expect(stampAuthor(stored, other)).toMatchObject({ kind: "known", change: { by: "ann" } });
  });

  it("holds little of what it was asked, however large that was", async () => {
    const { admit } = mutatorBed();
    admit(undefined, web);
    const before = await heldBytes();

    for (let call = 0; call < 100; call += 1) {
      admit(undefined, web.with({ labels: { ...web.labels, x: `${call}`.padEnd(500_000, "x") } }));
    }

    // The last few, of 50 MB.
    expect((await heldBytes()) - before).toBeLessThan(8_000_000);
  });

  it("signs nothing that the API server adds", () => {
    const { admit } = mutatorBed();
    const { ipFamilies: _families, ipFamilyPolicy: _policy, ...spec } = web.spec;
    const stored = admit(undefined, { ...fields(web), uid: "", spec });

    expect(author({ ...stored, uid: "u-1", spec: web.spec }).kind).toBe("known");
  });

  it("stamps a change of families alone", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);

    const { spec } = web.families("IPv4", "IPv6");
    const dual = admit(stored, { ...stored, spec }, { username: "bob" });

    expect(author(dual)).toMatchObject({ kind: "known", change: { by: "bob" } });
  });

  it("leaves everything as it is until it has a key", () => {
    const { admit, state } = mutatorBed();
    const stored = admit(undefined, web);
    state.isLoaded = false;

    const after = admit(stored, { ...stored, spec: web.port(81).spec });

    expect(after.annotations).toEqual(stored.annotations);
    expect(author(after)).toMatchObject({ kind: "unknown", last: { by: "ann" } });
  });
});

describe("a change that the webhook did not see", () => {
  it("is never that of the last one who was seen", () => {
    const { admit } = mutatorBed();
    const stored = admit(undefined, web);

    expect(author({ ...stored, spec: web.port(81).spec })).toMatchObject({
      kind: "unknown",
      last: { by: "ann" },
    });
    expect(author(plain)).toEqual({ kind: "unknown", last: undefined });
    const muchLater = { ...stored, uid: "u-2", creationTimestamp: "2026-01-01T00:10:01Z" };
    expect(author(muchLater)).toMatchObject({ kind: "unknown", last: { by: "ann" } });
    const update = admit(stored, { ...stored, spec: web.port(81).spec });
    expect(author({ ...update, uid: "u-2" })).toMatchObject({ kind: "unknown" });
    const forged = stampAnnotations({ id: "1", by: "eve", at: "now", signature: "0" });
    expect(author({ ...fields(web), annotations: forged }).kind).toBe("unknown");
  });
});
