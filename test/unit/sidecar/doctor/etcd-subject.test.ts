import { describe, expect, it } from "vitest";
import { ok } from "../../../../src/doctor/check.js";
import { findingOf } from "../../../../sidecar/doctor/etcd-subject.js";
import { EncryptionUnavailable } from "../../../../sidecar/encryption/transformer.js";
import { EtcdError } from "../../../../sidecar/etcd/etcd.js";

const failing = (error: unknown): Promise<unknown> => findingOf(() => Promise.reject(error));

describe("what an etcd check finds", () => {
  it("is what it says, or why it could not be asked", async () => {
    expect(await findingOf(async () => ok("fine"))).toEqual({ result: "ok", message: "fine" });
    expect(await failing(new EtcdError("auth", "no"))).toEqual({
      result: "fail",
      code: "auth",
      message: "no",
      remedy: { text: "see that user and password are right" },
    });
    const missing = Object.assign(new Error("open '/ca'"), { syscall: "open" });
    expect(await failing(missing)).toMatchObject({ result: "fail", message: "open '/ca'" });
    expect(await failing(new EncryptionUnavailable("the plugin is away"))).toMatchObject({
      result: "fail",
      message: "the plugin is away",
    });
  });

  it("is never a defect of ours", async () => {
    await expect(failing(new TypeError("undefined is not a function"))).rejects.toThrow(TypeError);
  });
});
