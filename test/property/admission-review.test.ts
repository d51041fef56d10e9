import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mappings } from "../../src/domain/target.js";
import { printable } from "../../src/ports/printable.js";
import { parseReview } from "../../webhook/admission-review.js";
import { respond } from "../../webhook/respond.js";
import { sourceService } from "../fixtures/arbitraries.js";
import { mappingContext } from "../fixtures/installation.js";
import { bodyOf, requestOf, REVIEW_UID } from "../fixtures/review.js";
import { route } from "../fixtures/route.js";
import { service } from "../fixtures/service.js";
import { WebhookBed } from "../fixtures/webhook-bed.js";

const context = mappingContext(route());

/** 20,000 with SVC_FERRY_TEST_FULL=1. */
const RUNS = process.env["SVC_FERRY_TEST_FULL"] === "1" ? 20_000 : 1_000;
const TIMEOUT_MS = RUNS * 30;

/** Names that mean something to JavaScript, and the places of a review. */
const oddKey = fc.constantFrom(
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "length",
  "then",
  "uid",
  "metadata",
  "labels",
  "ports",
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue(),
    fc.constantFrom(null, "", 0, -1, 1e308, true, "\u202e\n\u001b[2J", "n".repeat(5_000)),
    fc.dictionary(oddKey, tie("value"), { maxKeys: 4 }),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
})).value;

const request = fc
  .tuple(sourceService, sourceService, fc.constantFrom("CREATE", "UPDATE", "DELETE"))
  .map(([before, after, operation]) =>
    requestOf(
      operation === "CREATE" ? undefined : before,
      operation === "DELETE" ? undefined : after,
    ),
  );

/** A review with any value in any one place of it. */
const spoiled = fc.tuple(request, fc.nat(), json).map(([whole, at, value]) => {
  const places: (() => void)[] = [];
  const copy = structuredClone(whole);
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      places.push(() => Object.assign(node, { [key]: value }));
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(copy);
  places[at % places.length]?.();
  return bodyOf(copy);
});

/** A review with one byte that is another, or without its end. */
const torn = fc
  .tuple(request, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
  .map(([whole, at, byte, isCut]) => {
    const body = bodyOf(whole);
    body[at % body.length] = byte;
    return isCut ? body.subarray(0, at % body.length) : body;
  });

const anyBody = fc.oneof(
  { weight: 4, arbitrary: spoiled },
  { weight: 2, arbitrary: torn },
  { weight: 1, arbitrary: request.map(bodyOf) },
  { weight: 1, arbitrary: json.map(bodyOf) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: json.map((value) => Buffer.from(JSON.stringify(value))) },
);

/** Everything that happens to a body, but for what a handler decides. */
function take(body: Buffer): "review" | "bad" {
  const parsed = parseReview(body, () => true);
  if (parsed.kind === "bad") {
    if (parsed.reason !== printable(parsed.reason)) throw new Error("a reason of a stranger's");
    return "bad";
  }
  const { review } = parsed;
  const versions = [review.object, review.oldObject].flatMap((version) => version ?? []);
  for (const { service } of versions) mappings(service, context);
  const warnings = [review.name, review.user.username, ...review.user.groups];
  const answer = JSON.parse(respond(review, { kind: "allowed", warnings })) as {
    readonly response: { readonly uid: string };
  };
  if (answer.response.uid !== review.uid) throw new Error(`answered to ${answer.response.uid}`);
  return "review";
}

describe("any body", () => {
  it(
    "is a review that the rules can read, or is refused with a reason in one line",
    () => {
      const seen = { review: 0, bad: 0 };

      fc.assert(
        fc.property(anyBody, (body) => {
          seen[take(body)] += 1;
        }),
        { numRuns: RUNS },
      );

      expect(seen.review).toBeGreaterThan(RUNS / 10);
      expect(seen.bad).toBeGreaterThan(RUNS / 10);
    },
    TIMEOUT_MS,
  );

  it(
    "leaves nothing behind in memory",
    () => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void;
      const bodies = fc.sample(anyBody, { numRuns: 300, seed: 1 });
      const heap = (): number => {
        collect();
        return process.memoryUsage().heapUsed;
      };

      for (const body of bodies) take(body);
      const before = heap();
      for (let round = 0; round < 4; round += 1) for (const body of bodies) take(body);

      expect(heap() - before).toBeLessThan(1_000_000);
    },
    TIMEOUT_MS,
  );

  it(
    "has an answer from the server that runs, which goes on as before",
    async () => {
      await using bed = await new WebhookBed().start();
      const agent = bed.agent();
      const bodies = fc.sample(anyBody, { numRuns: 50, seed: 2 });

      const kinds: unknown[] = [];
      for (const body of bodies) {
        const { status, body: answer } = await bed.send({ path: "/validate", body, agent });
        kinds.push([status, (answer as { readonly kind: string }).kind].join(" "));
      }

      expect([...new Set(kinds)].sort()).toEqual(["200 AdmissionReview", "400 Status"]);
      const body = bodyOf(requestOf(undefined, service("shop/web")));
      const { body: last } = await bed.send({ path: "/validate", body, agent });
      expect(last).toMatchObject({ response: { uid: REVIEW_UID, allowed: true } });
    },
    TIMEOUT_MS,
  );
});
