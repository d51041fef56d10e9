import { describe, expect, it } from "vitest";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { SliceCache } from "../../../../src/intake/slice-cache.js";
import { aborted } from "../../../../src/ports/aborted.js";
import { RetryableError, TerminalError } from "../../../../src/ports/errors.js";
import type { KubeApi } from "../../../../src/ports/kube-api.js";
import { ENDPOINT_SLICES, NAMESPACES } from "../../../../src/ports/kube-resources.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { MemoryApiServer } from "../../../fakes/memory-api-server.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { settle } from "../../../fakes/settle.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { DirectApi } from "../../../fixtures/direct-api.js";
import { newObject } from "../../../fixtures/reconcile-bed.js";
import { rawSlice } from "../../../fixtures/slices.js";
import { RecordingLog } from "../kube/fixture/recording-log.js";

/** Its watches are open and bring nothing. */
class QuietApi extends DirectApi {
  override readonly watch: KubeApi["watch"] = (_resource, _options, _onEvent, signal) =>
    aborted(signal);
}

/** A cache of the slices of all namespaces, synced before any Service was tracked. */
async function cacheBed() {
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const random = new SeededRandom(1);
  const server = new MemoryApiServer({ clock, random });
  for (const name of ["shop", "cart"]) server.create(NAMESPACES, { metadata: { name } });
  for (const one of [rawSlice("shop/web-1", "web"), rawSlice("cart/api-1", "api")]) {
    server.create(ENDPOINT_SLICES, newObject(one.address("10.0.0.1")));
  }
  const api = new QuietApi(server, "a");
  const tracked = new Set<ServiceKey>();
  const told: ServiceKey[] = [];
  const cache = new SliceCache({
    api,
    clock,
    random,
    log,
    digest: sha256,
    observe: () => ({ relisted: () => {}, failed: () => {}, skipped: () => {} }),
    namespaces: "all",
    isTracked: (one) => tracked.has(one),
    onService: (one) => told.push(one),
  });
  const stop = new AbortController();
  const run = cache.start(stop.signal);
  await settle();
  api.requests.splice(0);
  return {
    api,
    cache,
    clock,
    log,
    told,
    track: (one: ServiceKey): void => {
      tracked.add(one);
      cache.track(one);
    },
    end: async (): Promise<void> => {
      stop.abort();
      await run;
      await settle();
    },
  };
}

describe("SliceCache, when the slices of a new Service cannot be listed", () => {
  it("tries again more and more rarely and says so once, until they can", async () => {
    const bed = await cacheBed();
    bed.api.before = () => {
      throw new RetryableError("FERRY-K001", "connection refused");
    };

    bed.track("shop/web");
    await bed.clock.advance(60_000);
    const attempts = bed.api.requests.length;
    const unknown = bed.cache.of("shop/web");
    bed.api.before = () => {};
    await bed.clock.advance(30_000);

    expect(bed.log.lines).toEqual([
      "warn: endpoint slices of new services not listed, trying again",
    ]);
    expect(attempts).toBeLessThan(14);
    expect(unknown).toBeUndefined();
    expect(bed.cache.of("shop/web")?.map(({ name }) => name)).toEqual(["web-1"]);
    expect(bed.told).toContain("shop/web");
    await bed.end();
  });

  it("says so again when the cause is another one", async () => {
    const bed = await cacheBed();
    const causes = ["FERRY-K001", "FERRY-K001", "FERRY-K004"] as const;
    bed.api.before = () => {
      const attempt = bed.api.requests.length;
      throw new RetryableError(causes[attempt - 1] ?? "FERRY-K004", "no");
    };

    bed.track("shop/web");
    await bed.clock.advance(60_000);

    expect(bed.log.records.map(({ fields }) => fields["code"])).toEqual([
      "FERRY-K001",
      "FERRY-K004",
    ]);
    await bed.end();
  });

  it("does not let the Services of another namespace wait", async () => {
    const bed = await cacheBed();
    bed.api.before = (request) => {
      if (request.includes(" shop ")) throw new TerminalError("FERRY-K006", "forbidden");
    };
    bed.track("shop/web");
    await bed.clock.advance(60_000);

    bed.track("cart/api");
    await settle();

    expect(bed.cache.of("cart/api")?.map(({ name }) => name)).toEqual(["api-1"]);
    await bed.end();
  });

  it("is silent about a list that the end of the process cuts", async () => {
    const bed = await cacheBed();
    bed.api.before = () => {
      bed.api.before = () => {};
      void bed.end();
      throw new RetryableError("FERRY-K001", "aborted");
    };

    bed.track("shop/web");
    await settle();

    expect(bed.log.lines).toEqual([]);
    expect(bed.clock.pending).toBe(0);
  });
});
