import { describe, expect, it } from "vitest";
import type { WriteResult } from "../../../../src/ports/kube-api.js";
import { ENDPOINT_SLICES, SERVICES } from "../../../../src/ports/kube-resources.js";
import { ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const NAMES = ["web", "api", "job"] as const;
const ENDING: WriteResult = { kind: "terminating", message: "prod is being terminated" };
const GONE: WriteResult = { kind: "not-found" };

/** Three mirrors in one namespace, which then goes. */
async function mirrored() {
  const bed = new ReconcileBed();
  for (const name of NAMES) {
    const slice = rawSlice(`shop/${name}-1`, name).address("10.0.0.1");
    bed.create(service(`shop/${name}`).ferried(), slice);
  }
  await reconcileAll(bed);
  heard(bed);
  return bed;
}

async function reconcileAll(bed: ReconcileBed): Promise<void> {
  for (const name of NAMES) await bed.reconcile(`prod/${name}`, { cause: "destination" });
  bed.catchUp();
}

/** As the namespace controller does, one kind after the other. */
function clear(bed: ReconcileBed, kind: typeof SERVICES): void {
  for (const { metadata } of bed.server.list(kind, { namespace: "prod" }).items) {
    bed.server.delete(kind, metadata);
  }
  bed.catchUp();
}

/** Events and log lines since the last call. */
function heard(bed: ReconcileBed) {
  const codes = bed.log.records
    .splice(0)
    .filter(({ message }) => message === "not synced" || message === "in order again")
    .map(({ message, fields: { code } }) =>
      typeof code === "string" ? `${message} ${code}` : message,
    );
  return { events: bed.events.news(), log: codes };
}

describe("a destination namespace that goes away", () => {
  const one = NAMES.map((name) => `Warning Refused shop/${name}`);

  it("costs each of its Services one Event, and each cause one line of log", async () => {
    const bed = await mirrored();
    const { create } = bed.api;

    bed.api.create = () => Promise.resolve(ENDING);
    clear(bed, ENDPOINT_SLICES);
    await reconcileAll(bed);
    const ending = heard(bed);
    clear(bed, SERVICES);
    await reconcileAll(bed);
    const cleared = heard(bed);
    bed.api.create = () => Promise.resolve(GONE);
    await reconcileAll(bed);
    const gone = heard(bed);
    bed.api.create = create;
    await reconcileAll(bed);
    const back = heard(bed);

    expect(ending).toEqual({ events: one, log: ["not synced namespace-terminating"] });
    expect(cleared).toEqual({ events: [], log: [] });
    expect(gone).toEqual({ events: [], log: ["not synced namespace-missing"] });
    expect(back).toEqual({
      events: NAMES.map((name) => `Normal Synced shop/${name}`),
      log: ["in order again"],
    });
  });

  it("is told again when it goes a second time", async () => {
    const bed = await mirrored();
    const { create } = bed.api;
    for (const answer of [GONE, undefined, GONE]) {
      heard(bed);
      bed.api.create = answer === undefined ? create : () => Promise.resolve(answer);
      clear(bed, SERVICES);
      await reconcileAll(bed);
    }

    expect(heard(bed)).toEqual({ events: one, log: ["not synced namespace-missing"] });
  });

  it("is told again of a new Service when those that it struck first are gone", async () => {
    const bed = await mirrored();
    bed.api.create = () => Promise.resolve(GONE);
    clear(bed, SERVICES);
    await reconcileAll(bed);
    clearSource(bed);
    await reconcileAll(bed);
    heard(bed);

    bed.create(service("shop/late").ferried());
    await bed.reconcile("prod/late");

    expect(heard(bed)).toEqual({
      events: ["Warning Refused shop/late"],
      log: ["not synced namespace-missing"],
    });
  });

  it("does not hide what else is wrong with a Service there", async () => {
    const bed = await mirrored();
    bed.api.create = () => Promise.resolve(GONE);
    clear(bed, SERVICES);
    await reconcileAll(bed);
    heard(bed);

    bed.api.create = () => Promise.resolve({ kind: "invalid", message: "spec.ports: no" });
    await reconcileAll(bed);
    const other = heard(bed);
    bed.api.create = () => Promise.resolve(GONE);
    await reconcileAll(bed);

    const log = NAMES.map(() => "not synced rejected-by-destination");
    expect(other).toEqual({ events: one, log });
    expect(heard(bed)).toEqual({ events: one, log: ["not synced namespace-missing"] });
  });

  it("is told again in the next term", async () => {
    const bed = await mirrored();
    bed.api.create = () => Promise.resolve(GONE);
    clear(bed, SERVICES);
    await reconcileAll(bed);
    heard(bed);

    bed.reporter.reset();
    await reconcileAll(bed);

    expect(heard(bed)).toEqual({ events: one, log: ["not synced namespace-missing"] });
  });
});

function clearSource(bed: ReconcileBed): void {
  for (const { metadata } of bed.sourceServer.list(SERVICES, { namespace: "shop" }).items) {
    bed.sourceServer.delete(SERVICES, metadata);
  }
  bed.catchUp();
}
