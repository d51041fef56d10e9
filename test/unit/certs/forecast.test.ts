import { describe, expect, it } from "vitest";
import { forecast } from "../../../certs/forecast.js";
import { EMPTY } from "../../../certs/holding.js";
import { rotation, type Situation } from "../../../certs/rotation.js";
import { DEFAULT_ROTATION } from "../../../certs/rotation-settings.js";
import { NOW } from "../../fixtures/certificates.js";
import { DAY, HeldSecret } from "../../fixtures/held-secret.js";

const NOTHING: Situation = {
  holding: EMPTY,
  wanted: {},
  published: [],
  nextSeenMs: undefined,
  settings: DEFAULT_ROTATION,
  nowMs: NOW,
};

/** What the leader comes to, which looks whenever rotation tells it to. */
function led(situation: Situation): { readonly kind: string; readonly atMs: number } {
  for (let { nowMs } = situation; ;) {
    const step = rotation({ ...situation, nowMs });
    if (step.kind !== "wait") return { kind: step.kind, atMs: nowMs };
    nowMs = step.dueMs;
  }
}

describe("forecast", () => {
  it("names what is due now", () => {
    expect(forecast(NOTHING)).toEqual({ step: { kind: "create", reason: "unusable" }, atMs: NOW });
  });

  it.each<[string, (held: HeldSecret) => HeldSecret]>([
    ["nothing is under way", (held) => held],
    ["a CA waits to sign", (held) => held.request("ca").run().inject()],
    [
      "a CA waits to leave",
      (held) =>
        held
          .request("ca")
          .run()
          .inject()
          .after(1.5 * DAY)
          .run(),
    ],
    ["the CA ends soon", (held) => held.after(1_430 * DAY).run()],
  ])("names what the leader will come to, to the second, when %s", (_, at) => {
    const { situation } = at(new HeldSecret());

    const coming = forecast(situation);

    expect({ kind: coming?.step.kind, atMs: coming?.atMs }).toEqual(led(situation));
    expect(coming?.atMs).toBeGreaterThan(situation.nowMs);
  });

  it("sees nothing where no leaf is wanted and the CA is young", () => {
    const { situation } = new HeldSecret();

    expect(forecast({ ...situation, wanted: {} })).toBeUndefined();
  });
});
