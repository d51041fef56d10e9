import { describe, expect, it } from "vitest";
import { serviceKey } from "../../../../src/domain/service-key.js";
import { PassedOver } from "../../../../src/intake/passed-over.js";

describe("PassedOver", () => {
  it("never forgets a name, and takes few others for one of them", () => {
    const passedOver = new PassedOver();
    const names = (prefix: string) =>
      Array.from({ length: 10_000 }, (_, index) => serviceKey("shop", `${prefix}-${index}`));

    names("web").forEach((name) => passedOver.add(name));

    expect(names("web").every((name) => passedOver.mayHave(name))).toBe(true);
    expect(names("api").filter((name) => passedOver.mayHave(name)).length).toBeLessThan(200);
  });

  it("knows no name at first", () => {
    expect(new PassedOver().mayHave("shop/web")).toBe(false);
  });
});
