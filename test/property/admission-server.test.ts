import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { printable } from "../../src/ports/printable.js";
import type { Admission } from "../../webhook/admission.js";
import { ENTRIES, type Entry } from "../../webhook/entry.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { admissionOf } from "../fixtures/admission.js";
import { kubeService } from "../fixtures/kube-objects.js";
import { ReconcileBed } from "../fixtures/reconcile-bed.js";
import { bodyOf, requestOf, REVIEW_UID } from "../fixtures/review.js";
import { anyBody } from "../fixtures/review-bodies.js";
import { service } from "../fixtures/service.js";
import { WebhookBed } from "../fixtures/webhook-bed.js";
import { heldBytes } from "../harness/held-bytes.js";

/** 20,000 with SVC_FERRY_TEST_FULL=1. */
const RUNS = process.env["SVC_FERRY_TEST_FULL"] === "1" ? 20_000 : 600;
/** Until everything that is made once has been made. */
const WARM_UP = 600;
const TIMEOUT_MS = 60_000 + RUNS * 30;
const MIB = 1_024 * 1_024;

/** Far less than the bodies, and more than what the engine goes on making of the code. */
const MAX_GROWTH_BYTES = RUNS > WARM_UP ? 2 * MIB : MIB;

let bed: WebhookBed;
/** What nobody has caught. */
const uncaught: unknown[] = [];
const onUncaught = (reason: unknown): void => void uncaught.push(reason);

beforeEach(async () => {
  uncaught.length = 0;
  process.on("unhandledRejection", onUncaught);
  bed = await new WebhookBed(rules()).start();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  process.off("unhandledRejection", onUncaught);
});

/** A source and a destination with nothing in them. */
const rules = (): Admission => admissionOf(new ReconcileBed(), { log: SILENT_LOG });

interface Said {
  readonly kind: string;
  readonly message?: string;
  readonly response?: { readonly uid: string; readonly allowed: boolean };
}

/** @returns "200 AdmissionReview" and the like */
async function send(entry: Entry, body: Buffer, agent = bed.agent()): Promise<string> {
  const answer = await bed.send({ path: `/${entry}?timeout=2s`, body, agent });
  const { kind, message = "", response } = answer.body as Said;
  if (message !== printable(message)) throw new Error("a stranger's words");
  if (answer.status === 200 && response?.allowed === undefined) throw new Error("no decision");
  return `${answer.status} ${kind}`;
}

async function sendMany(count: number): Promise<readonly string[]> {
  const seen = new Set<string>();
  const agent = bed.agent();
  const property = fc.asyncProperty(fc.constantFrom(...ENTRIES), anyBody, async (entry, body) => {
    seen.add(await send(entry, body, agent));
  });
  await fc.assert(property, { numRuns: count });
  return [...seen].sort();
}

/** What the server holds; what the bed wrote down is its own. */
function held(): Promise<number> {
  bed.metrics.lines.length = 0;
  bed.logged.length = 0;
  return heldBytes();
}

describe("the server that runs, over TLS", () => {
  it(
    "answers every body, keeps nothing of them, and goes on as before",
    async () => {
      await sendMany(WARM_UP);
      const before = await held();

      const seen = await sendMany(RUNS);

      expect((await held()) - before).toBeLessThan(MAX_GROWTH_BYTES);
      expect(seen).toEqual(["200 AdmissionReview", "400 Status"]);
      expect(uncaught).toEqual([]);
      const good = bodyOf(requestOf(undefined, service("shop/web")));
      const { body } = await bed.send({ path: "/validate", body: good });
      expect(body).toMatchObject({ response: { uid: REVIEW_UID, allowed: true } });
    },
    TIMEOUT_MS,
  );

  it("answers reviews of 3 MiB, keeps nothing of them", async () => {
    const request = requestOf(undefined, service("shop/web").ferried());
    const object = kubeService(service("shop/web").ferried());
    const managedFields = [{ manager: "m".repeat(3 * MIB) }];
    const metadata = { ...object.metadata, managedFields };
    const body = bodyOf({ ...request, object: { ...object, metadata } });
    const agent = bed.agent();
    const send20 = async (): Promise<readonly string[]> => {
      const seen: string[] = [];
      while (seen.length < 20) seen.push(await send("mutate", body, agent));
      return seen;
    };
    await send20();
    const before = await held();

    const seen = await send20();

    expect(new Set(seen)).toEqual(new Set(["200 AdmissionReview"]));
    expect((await held()) - before).toBeLessThan(2 * MIB);
    expect(uncaught).toEqual([]);
  });
});
