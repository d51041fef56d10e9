import { describe, expect, it } from "vitest";
import { PageSize } from "../../../../sidecar/pass/page-size.js";

describe("PageSize", () => {
  it("begins with 64 keys, doubles for small objects and stops at 1,000", () => {
    const size = new PageSize();
    const sizes = [size.keys];

    for (let page = 0; page < 6; page += 1) {
      size.saw(size.keys, size.keys * 500);
      sizes.push(size.keys);
    }

    expect(sizes).toEqual([64, 128, 256, 512, 1_000, 1_000, 1_000]);
  });

  it("asks for as many as make two megabytes", () => {
    const size = new PageSize();

    size.saw(64, 64 * 100_000);

    expect(size.keys).toBe(20);
  });

  it("halves what is larger than a message may be, down to one key", () => {
    const size = new PageSize();
    const halved = [1, 2, 3, 4, 5, 6].map(() => size.tooLarge());

    expect([halved.every(Boolean), size.keys, size.tooLarge()]).toEqual([true, 1, false]);
  });
});
