import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mappings } from "../../src/domain/target.js";
import { printable } from "../../src/ports/printable.js";
import { parseReview } from "../../webhook/admission-review.js";
import { respond } from "../../webhook/respond.js";
import { mappingContext } from "../fixtures/installation.js";
import { anyBody } from "../fixtures/review-bodies.js";
import { route } from "../fixtures/route.js";
import { heldBytes } from "../harness/held-bytes.js";

const context = mappingContext(route());

/** 20,000 with SVC_FERRY_TEST_FULL=1. */
const RUNS = process.env["SVC_FERRY_TEST_FULL"] === "1" ? 20_000 : 1_000;
const TIMEOUT_MS = RUNS * 30;

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
    async () => {
      const bodies = fc.sample(anyBody, { numRuns: 300, seed: 1 });

      for (const body of bodies) take(body);
      const before = await heldBytes();
      for (let round = 0; round < 4; round += 1) for (const body of bodies) take(body);

      expect((await heldBytes()) - before).toBeLessThan(1_000_000);
    },
    TIMEOUT_MS,
  );
});
