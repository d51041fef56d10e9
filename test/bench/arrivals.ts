import type { Api, Event } from "./api.js";

/** After this a wait gives up: a benchmark that hangs says nothing. */
const PATIENCE_MS = 300_000;

/** When things came to be in a cluster, seen by a watch of the benchmark's own process. */
export class Arrivals {
  readonly #seenMs = new Map<string, number>();
  #wake: () => void = () => {};

  /** @param signOf what an event is the sign of, undefined when of nothing */
  private constructor(private readonly signOf: (event: Event) => string | undefined) {}

  static async of(
    api: Api,
    path: string,
    signOf: (event: Event) => string | undefined,
  ): Promise<Arrivals> {
    const arrivals = new Arrivals(signOf);
    await api.watch(path, "", (event) => arrivals.#see(event));
    return arrivals;
  }

  /** Signs seen so far. */
  get count(): number {
    return this.#seenMs.size;
  }

  /** Resolves when all signs were seen, with the time (performance.now) of the last one's first appearance. */
  async all(signs: readonly string[]): Promise<number> {
    const missing = new Set(signs);
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      for (const sign of missing) if (this.#seenMs.has(sign)) missing.delete(sign);
      if (missing.size === 0) return Math.max(...signs.map((sign) => this.#seenMs.get(sign) ?? 0));
      const leftMs = deadline - performance.now();
      if (leftMs <= 0)
        throw new Error(
          `${missing.size} of ${signs.length} did not arrive: ${[...missing].slice(0, 5).join(", ")}`,
        );
      const [awaited] = missing;
      await this.#until(awaited ?? "", leftMs);
    }
  }

  /** One sign at a time, so that a burst's events do not each wake the wait for all. */
  async #until(sign: string, leftMs: number): Promise<void> {
    const arrived = Promise.withResolvers<void>();
    const timer = setTimeout(arrived.resolve, leftMs);
    this.#wake = () => {
      if (this.#seenMs.has(sign)) arrived.resolve();
    };
    await arrived.promise;
    clearTimeout(timer);
  }

  #see(event: Event): void {
    const sign = this.signOf(event);
    if (sign === undefined || this.#seenMs.has(sign)) return;
    this.#seenMs.set(sign, performance.now());
    this.#wake();
  }
}

/** The name of what is new. */
export function addedName({ type, object }: Event): string | undefined {
  return type === "ADDED" ? object.metadata.name : undefined;
}

/** What a slice shows: see `shown`. */
export function shownBySlice({ object }: Event): string | undefined {
  const name = object.metadata.labels?.["kubernetes.io/service-name"];
  const { endpoints = [] } = object as { endpoints?: readonly { addresses: readonly string[] }[] };
  return shown(
    name ?? "",
    endpoints.flatMap(({ addresses }) => addresses),
  );
}

/** What core/v1 Endpoints show: see `shown`. */
export function shownByEndpoints({ object }: Event): string | undefined {
  const { subsets = [] } = object as {
    subsets?: readonly { addresses?: readonly { ip: string }[] }[];
  };
  const addresses = subsets.flatMap((subset) => subset.addresses ?? []);
  return shown(
    object.metadata.name,
    addresses.map(({ ip }) => ip),
  );
}

/** The sign of a Service that has these addresses, in whatever order: API servers sort those of Endpoints. */
export function shown(service: string, addresses: readonly string[]): string {
  return `${service}@${addresses.toSorted()[0]}`;
}
