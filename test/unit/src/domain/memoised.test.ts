import { describe, expect, it } from "vitest";
import { memoised } from "../../../../src/domain/memoised.js";

function given() {
  const asked: string[] = [];
  const joined = memoised((object: { id: number }, context: { id: string }) => {
    asked.push(`${object.id}${context.id}`);
    return `${object.id}${context.id}`;
  });
  return { asked, joined };
}

describe("memoised", () => {
  it("computes once for the same object in the same context", () => {
    const { asked, joined } = given();
    const [one, two] = [{ id: 1 }, { id: 2 }];
    const [a, b] = [{ id: "a" }, { id: "b" }];

    const answers = [one, two, one, two].map((object) => [joined(object, a), joined(object, b)]);

    expect(answers).toEqual([
      ["1a", "1b"],
      ["2a", "2b"],
      ["1a", "1b"],
      ["2a", "2b"],
    ]);
    expect(asked).toEqual(["1a", "1b", "2a", "2b"]);
  });

  it("knows objects by themselves, and forgets those of long ago", () => {
    const { asked, joined } = given();
    const context = { id: "a" };
    const first = { id: 0 };

    joined(first, context);
    joined({ id: 0 }, context);
    for (let id = 1; id <= 4; id += 1) joined({ id }, context);
    joined(first, context);

    expect(asked).toEqual(["0a", "0a", "1a", "2a", "3a", "4a", "0a"]);
  });
});
