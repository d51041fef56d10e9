import { admissionCounts, type AdmissionCounts } from "./admission-counts.js";
import { service, slice } from "./manifests.js";
import { addressesOf, type NamespaceView, portsOf } from "./namespace-view.js";
import { SteadyLoad } from "./steady-load.js";
import { waitFor } from "./wait-for.js";

/** Services that change all the time. More than the calls under way: none is changed twice at once. */
const NAMES = Array.from({ length: 20 }, (_, index) => `busy-${index}`);

const LOAD = { perSecond: 50, atOnce: 5 } as const;

/** What came of a load. */
export interface LoadResult {
  /** Changes of Services: each is asked of the webhooks. */
  readonly admissions: number;
  /** Changes of their endpoints. */
  readonly changes: number;
  /** Those that the API server did not take, with its words. */
  readonly refused: readonly string[];
  readonly counts: AdmissionCounts;
  /** What was reached of the rates that were asked for: a line for people. */
  readonly rates: string;
}

/** 50 changes a second of labelled Services, and beside them 50 of their slices. */
export class TwoLoads {
  readonly #refused: string[] = [];
  readonly #services = new SteadyLoad(async (number) => this.#changeService(number), LOAD);
  readonly #slices = new SteadyLoad(async (number) => this.#changeSlice(number), LOAD);
  #before: AdmissionCounts = { answered: 0, failed: 0 };
  #startedMs = 0;

  constructor(
    private readonly src: NamespaceView,
    private readonly dst: NamespaceView,
  ) {}

  /** Resolves when all of them are mirrored and both loads run. */
  async start(): Promise<void> {
    const { namespace } = this.src;
    for (const name of NAMES) {
      await this.src.apply(slice(namespace, name, ["10.30.0.1"]), service(namespace, name));
    }
    for (const name of NAMES) await this.dst.untilService(name);
    this.#before = await admissionCounts(this.src.cluster);
    this.#startedMs = performance.now();
    this.#services.start();
    this.#slices.start();
  }

  /** Resolves when each of both has sent so many: on a busy machine they come slower, not fewer. */
  async untilSent(count: number): Promise<void> {
    const isSent = (): boolean => Math.min(this.#services.sent, this.#slices.sent) >= count;
    await waitFor(isSent, { what: `${count} changes of each kind`, timeoutMs: 120_000 });
  }

  async stop(): Promise<LoadResult> {
    await Promise.all([this.#services.stop(), this.#slices.stop()]);
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const { answered, failed } = await admissionCounts(this.src.cluster);
    const rate = (sent: number, what: string): string =>
      `${sent} ${what} (${(sent / seconds).toFixed(1)} of ${LOAD.perSecond} a second)`;
    return {
      admissions: this.#services.sent,
      changes: this.#slices.sent,
      rates: `${rate(this.#services.sent, "admissions")} and ${rate(this.#slices.sent, "changes")}`,
      refused: this.#refused,
      counts: { answered: answered - this.#before.answered, failed: failed - this.#before.failed },
    };
  }

  /** Resolves with nothing when the destination is what the source says, else with what is different for too long. */
  async differences(): Promise<readonly string[]> {
    const look = async (): Promise<readonly string[]> =>
      (await Promise.all(NAMES.map(async (name) => this.#difference(name)))).flat();
    let last: readonly string[] = [];
    await waitFor(async () => (last = await look()).length === 0, { what: "no difference" }).catch(
      () => undefined,
    );
    return last;
  }

  async #difference(name: string): Promise<readonly string[]> {
    const [here, there] = await Promise.all(
      [this.src, this.dst].map(async (view) => ({
        port: portsOf(await view.service(name))[0],
        addresses: addressesOf(await view.slices(name)).join(),
      })),
    );
    const isSame = JSON.stringify(here) === JSON.stringify(there);
    return isSame ? [] : [`${name}: ${JSON.stringify({ here, there })}`];
  }

  /** A port of the mirror, so that each change has something to write. */
  async #changeService(number: number): Promise<void> {
    const spec = { ports: [{ port: 1_000 + (number % 50_000) }] };
    await this.#noted(async () => this.src.patch("Service", nameAt(number), { spec }));
  }

  async #changeSlice(number: number): Promise<void> {
    const name = nameAt(number);
    const address = `10.31.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    await this.#noted(async () => this.src.apply(slice(this.src.namespace, name, [address])));
  }

  async #noted(change: () => Promise<unknown>): Promise<void> {
    await change().catch((error: unknown) => this.#refused.push(String(error)));
  }
}

function nameAt(number: number): string {
  return NAMES[number % NAMES.length] ?? "";
}
