import { describe, expect, it } from "vitest";
import { rotateRequest, type RotateSituation } from "../../../certs/rotate-request.js";
import { DEFAULT_ROTATION } from "../../../certs/rotation-settings.js";
import type { Rotation } from "../../../src/ports/certificates-report.js";
import { rfc3339 } from "../../../src/ports/timestamps.js";
import { NOW } from "../../fixtures/certificates.js";
import { DAY, HeldSecret, SECRET_REF } from "../../fixtures/held-secret.js";

function request(rotation: Rotation, held: HeldSecret, other: Partial<RotateSituation> = {}) {
  return rotateRequest(rotation, {
    mode: "self",
    directory: "/certs",
    secretRef: SECRET_REF,
    secret: held.secret(),
    settings: DEFAULT_ROTATION,
    nowMs: held.nowMs,
    ...other,
  });
}

describe("rotateRequest", () => {
  it.each<Rotation>(["leaf", "ca", "stamp"])("asks for %s", (rotation) => {
    expect(request(rotation, new HeldSecret())).toEqual({
      kind: "requested",
      rotation,
      replaced: undefined,
      overlapMs: DAY,
      dropsStampKey: false,
    });
  });

  it("does not ask twice", () => {
    const held = new HeldSecret().request("leaf");

    expect(request("leaf", held)).toEqual({ kind: "already-requested", rotation: "leaf" });
  });

  it("says which request it replaces", () => {
    const held = new HeldSecret().request("leaf");

    expect(request("ca", held)).toMatchObject({ kind: "requested", replaced: "leaf" });
  });

  it("asks for no second new CA", () => {
    const held = new HeldSecret().request("ca").run();

    expect(request("ca", held)).toEqual({
      kind: "under-way",
      signsAt: rfc3339(NOW + DAY + 1_000),
    });
    expect(request("leaf", held).kind).toBe("requested");
  });

  it("asks for another CA when the new one has ended before it signed", () => {
    const held = new HeldSecret()
      .request("ca")
      .run()
      .after(1_826 * DAY);

    expect(request("ca", held).kind).toBe("requested");
  });

  it("says that the older of two stamp keys goes", () => {
    const held = new HeldSecret().request("stamp").run();

    expect(request("stamp", held)).toMatchObject({ dropsStampKey: true });
    expect(request("leaf", held)).toMatchObject({ dropsStampKey: false });
  });

  it("cannot without a Secret", () => {
    expect(request("leaf", new HeldSecret(), { secret: undefined })).toMatchObject({
      kind: "cannot",
      problem: "there is no Secret k8s-sync/svc-ferry-webhook-tls",
    });
  });

  it.each([
    ["cert-manager", "cmctl renew"],
    ["provided", "write new files into /certs"],
  ] as const)("leaves leaf and CA to whoever makes them with mode %s", (mode, fix) => {
    const held = new HeldSecret();

    expect(request("leaf", held, { mode })).toMatchObject({
      kind: "cannot",
      fix: expect.stringContaining(fix),
    });
    expect(request("ca", held, { mode }).kind).toBe("cannot");
    expect(request("stamp", held, { mode }).kind).toBe("requested");
  });
});
