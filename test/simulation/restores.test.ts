import { describe, expect, it } from "vitest";
import { historyWithRestores } from "./history.js";
import { search } from "./search.js";
import { SEEDS, TIME_LIMIT_MS } from "./seeds.js";

/** A tenth of the histories. */
const SOME = SEEDS.slice(0, Math.ceil(SEEDS.length / 10));

describe("svc-ferry before clusters whose etcd is restored from older snapshots", () => {
  it(
    "ends with every destination as the oracle says of the restored source",
    async () => {
      const { failure } = await search(SOME, historyWithRestores);

      expect(failure).toBeUndefined();
    },
    TIME_LIMIT_MS,
  );
});
