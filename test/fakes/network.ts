/**
 * The way from one process to one cluster, with everything that can go wrong on
 * it. Faults are drawn from the seeded random; single ones can be ordered with
 * `next`. All of them are off until they are switched on.
 */
import type { MemoryApiServer } from "./memory-api-server.js";
import type { SeededRandom } from "./seeded-random.js";
import type { ProcessTime } from "./virtual-clock.js";

export type Verb = "list" | "watch" | "get" | "create" | "patch" | "replace" | "delete";

/** What befalls one request. For a watch all but "pass" mean that it is not opened. */
export type Fate =
  | "pass"
  /** It never reaches the server; the client sees a broken connection (FERRY-K001). */
  | "lose-request"
  /** The server does it, the client sees a broken connection (FERRY-K001). */
  | "lose-response"
  /** 429 with Retry-After (FERRY-K003), not done. */
  | "too-many-requests"
  /** 500 (FERRY-K004), not done. */
  | "server-error"
  /** 500 (FERRY-K004), but done: etcd answered too late. */
  | "done-and-server-error"
  /** A list says that there is nothing, and no more pages. Other verbs pass. */
  | "empty-list";

/** Milliseconds, uniform in [low, high). */
export type Range = readonly [low: number, high: number];

/** Rates are probabilities per request (cutWatch: per event sent). */
export interface Faults {
  /** Waiting for a free connection, before `permit` is asked. */
  readonly queueMs: Range;
  /** Each way. */
  readonly latencyMs: Range;
  /** Of each watch event; never reordered within one watch. */
  readonly watchLatencyMs: Range;
  readonly loseRequest: number;
  readonly loseResponse: number;
  readonly tooManyRequests: number;
  readonly serverError: number;
  readonly doneAndServerError: number;
  readonly emptyList: number;
  /** 500 for a page after the first. */
  readonly failPage: number;
  readonly cutWatch: number;
  readonly retryAfterMs: number;
}

/** A good network: fast, but not instant, so that things overlap. */
const NO_FAULTS: Faults = {
  queueMs: [0, 0],
  latencyMs: [0.2, 2],
  watchLatencyMs: [0.2, 3],
  loseRequest: 0,
  loseResponse: 0,
  tooManyRequests: 0,
  serverError: 0,
  doneAndServerError: 0,
  emptyList: 0,
  failPage: 0,
  cutWatch: 0,
  retryAfterMs: 1000,
};

export interface NetworkOptions {
  /** Who calls, for the audit log. */
  readonly name: string;
  /** The process's clock: nothing is sent or delivered while the process is stopped. */
  readonly process: ProcessTime;
  readonly random: SeededRandom;
  readonly faults?: Partial<Faults>;
}

interface Order {
  readonly verb: Verb;
  /** A resource's plural; undefined: any. */
  readonly plural: string | undefined;
  readonly fate: Fate;
}

export class Network {
  readonly name: string;
  readonly process: ProcessTime;
  readonly random: SeededRandom;
  #faults: Faults;
  #mode: "up" | "down" | "silent" = "up";
  #connections = 0;
  #connected = false;
  #reroutedTo: MemoryApiServer | undefined;
  readonly #orders: Order[] = [];
  readonly #injected = new Map<string, number>();
  readonly #cuts = new Set<(how: "cut" | "silence") => void>();

  constructor(options: NetworkOptions) {
    this.name = options.name;
    this.process = options.process;
    this.random = options.random;
    this.#faults = { ...NO_FAULTS, ...options.faults };
  }

  get faults(): Faults {
    return this.#faults;
  }

  get mode(): "up" | "down" | "silent" {
    return this.#mode;
  }

  /** Connections opened so far; a broken one is opened anew with the next request. */
  get connections(): number {
    return this.#connections;
  }

  /** How often each fault struck: a test about a fault that never came tests nothing. */
  get injected(): ReadonlyMap<string, number> {
    return this.#injected;
  }

  set(faults: Partial<Faults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  /** All faults off, connections possible; what broke stays broken. */
  heal(): void {
    this.#faults = NO_FAULTS;
    this.#mode = "up";
    this.#orders.length = 0;
  }

  /** Connections are refused from now on; open ones break, with whatever is under way on them. */
  down(): void {
    this.#mode = "down";
    this.disconnect();
  }

  /** Half-open: requests get no answer, watches say nothing and do not end. Those watches stay dead after `heal`. */
  silent(): void {
    this.#mode = "silent";
    this.#connected = false;
    for (const cut of this.#cuts) cut("silence");
  }

  up(): void {
    this.#mode = "up";
  }

  /** Open connections break; new ones are possible. */
  disconnect(): void {
    this.#connected = false;
    for (const cut of this.#cuts) cut("cut");
  }

  /** From now on another server answers under the same address; undefined: the client's own again. */
  reroute(server: MemoryApiServer | undefined): void {
    this.#reroutedTo = server;
    this.disconnect();
  }

  /** The next matching request meets this fate, whatever the rates say. Orders are met one after the other. */
  next(verb: Verb, fate: Fate, plural?: string): void {
    this.#orders.push({ verb, fate, plural });
  }

  /** Who answers now. Called by the client when a request arrives. */
  target(own: MemoryApiServer): MemoryApiServer {
    return this.#reroutedTo ?? own;
  }

  /** Draws what happens to a request. Called by the client in the tick in which it is sent. */
  fate(verb: Verb, plural: string, laterPage: boolean): Fate {
    if (!this.#connected) {
      this.#connected = true;
      this.#connections += 1;
    }
    const drawn = this.#ordered(verb, plural) ?? this.#drawn(verb, laterPage);
    // A watch whose opening is not answered was never open, as far as anybody can see.
    const unanswered = drawn === "lose-response" || drawn === "done-and-server-error";
    const fate = verb === "watch" && unanswered ? "lose-request" : drawn;
    if (fate !== "pass") this.note(fate);
    if (fate === "lose-request" || fate === "lose-response") this.#connected = false;
    return fate;
  }

  delayMs(range: Range): number {
    return range[0] === range[1] ? range[0] : this.random.between(range[0], range[1]);
  }

  /** Counts a fault. Called by the client for those that it draws itself. */
  note(fault: string): void {
    this.#injected.set(fault, (this.#injected.get(fault) ?? 0) + 1);
  }

  /** Registers an open watch; the answer forgets it. */
  onCut(cut: (how: "cut" | "silence") => void): () => void {
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  #ordered(verb: Verb, plural: string): Fate | undefined {
    const index = this.#orders.findIndex(
      (order) => order.verb === verb && (order.plural ?? plural) === plural,
    );
    return index < 0 ? undefined : this.#orders.splice(index, 1)[0]?.fate;
  }

  #drawn(verb: Verb, laterPage: boolean): Fate {
    const { random } = this;
    const faults = this.#faults;
    if (random.chance(faults.loseRequest)) return "lose-request";
    if (random.chance(faults.loseResponse)) return "lose-response";
    if (random.chance(faults.tooManyRequests)) return "too-many-requests";
    if (random.chance(faults.serverError)) return "server-error";
    if (random.chance(faults.doneAndServerError)) return "done-and-server-error";
    if (laterPage && random.chance(faults.failPage)) return "server-error";
    return verb === "list" && random.chance(faults.emptyList) ? "empty-list" : "pass";
  }
}
