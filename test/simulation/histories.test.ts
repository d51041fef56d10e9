import { describe, expect, it } from "vitest";
import { historyOf } from "./history.js";
import { search } from "./search.js";
import { SEEDS, TIME_LIMIT_MS } from "./seeds.js";

describe("svc-ferry in a world where everything goes wrong", () => {
  it(
    "ends with every destination as the oracle says, having done nothing that it must not",
    async () => {
      const { failure, missing } = await search(SEEDS, historyOf);

      expect(failure).toBeUndefined();
      expect(missing).toEqual([]);
    },
    TIME_LIMIT_MS,
  );
});
