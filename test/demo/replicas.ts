import { type FerryProcess, startFerry } from "../harness/ferry-process.js";
import { waitFor } from "../harness/wait-for.js";

/** A running svc-ferry. */
export interface Replica {
  /** Its pod's name, as the Lease and the log have it. */
  readonly name: string;
  /** Of /leader and /status, on loopback. */
  readonly port: number;
  /** Of /mutate and /validate. */
  readonly webhookPort: number;
  readonly process: FerryProcess;
}

/** A fifth of the defaults (15s, 10s, 2s), so that nobody has to wait for a take-over; in production the defaults. */
export const SHORT_LEASE = [
  "--lease-duration=3s",
  "--renew-deadline=2s",
  "--retry-period=500ms",
] as const;

/** The replicas of one installation. */
export class Replicas {
  #alive: readonly Replica[] = [];
  readonly #all: { readonly name: string; readonly process: FerryProcess }[] = [];

  get alive(): readonly Replica[] {
    return this.#alive;
  }

  /** Starts them all with the same arguments; resolves when every one is ready and one leads. */
  async start(names: readonly string[], args: readonly string[]): Promise<Replica> {
    for (const name of names) {
      const own = [`--pod-name=${name}`, "--http-port=0", "--bind-address=127.0.0.1"];
      this.#all.push({ name, process: startFerry({ args: ["run", ...args, ...own] }) });
    }
    this.#alive = await Promise.all(
      this.#all.map(async ({ name, process }) => ({
        name,
        process,
        port: await process.adminPort(),
        webhookPort: await webhookPort(process),
      })),
    );
    await Promise.all(this.#alive.map(untilReady));
    return this.leader();
  }

  /** Who leads, by its own word; waits until one does. */
  async leader(): Promise<Replica> {
    return waitFor(
      async () => {
        const answers = await Promise.all(this.#alive.map(async (one) => ask(one, "/leader")));
        return this.#alive.find((one, index) => answers[index]?.text === `Leader: ${one.name}`);
      },
      { what: "a leader", everyMs: 10 },
    );
  }

  /** Who does not lead. */
  async followers(): Promise<readonly Replica[]> {
    const leader = await this.leader();
    return this.#alive.filter((one) => one !== leader);
  }

  /** SIGKILL: it has no chance to say good-bye. */
  async kill(replica: Replica): Promise<void> {
    this.#alive = this.#alive.filter((one) => one !== replica);
    replica.process.signal("SIGKILL");
    await replica.process.exit;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(async ({ process }) => process.stop()));
  }

  /** Every line that they logged, those of the dead too, in the order of its time (seconds; then by replica). */
  log(): readonly string[] {
    const lines = this.#all.flatMap(({ process }) => process.lines.map(({ text }) => text));
    const time = (line: string): string => line.slice(0, "2024-01-15 10:30:45".length);
    return lines.toSorted((a, b) => time(a).localeCompare(time(b)));
  }

  /** The last lines of each, for a person who looks for what went wrong. */
  tails(count: number): readonly { readonly name: string; readonly lines: readonly string[] }[] {
    return this.#all.map(({ name, process }) => ({
      name,
      lines: process.lines.slice(-count).map(({ text }) => text),
    }));
  }
}

/** Once it has a certificate: the leader's first act. */
async function webhookPort(process: FerryProcess): Promise<number> {
  const line = await process.waitForLine(/webhook listening/);
  return Number(/port=(\d+)/.exec(line)?.[1]);
}

async function untilReady(replica: Replica): Promise<void> {
  for (const path of ["/ready", "/ready/webhook"]) {
    await waitFor(async () => (await ask(replica, path)).status === 200, {
      what: `${replica.name} to be ready`,
    });
  }
}

async function ask({ port }: Replica, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: (await response.text()).trim() };
}
