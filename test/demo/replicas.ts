import type { Kubelet } from "../harness/kubelet.js";
import type { Pod } from "../harness/pod.js";
import { waitFor } from "../harness/wait-for.js";

/** A fifth of the defaults (15s, 10s, 2s), so that nobody has to wait for a take-over; in production the defaults. */
export const SHORT_LEASE = {
  SVC_FERRY_LEASE_DURATION: "3s",
  SVC_FERRY_RENEW_DEADLINE: "2s",
  SVC_FERRY_RETRY_PERIOD: "500ms",
} as const;

/** The pods of the Deployment. */
export class Replicas {
  #kubelet: Kubelet | undefined;

  /** Those that run. */
  get alive(): readonly Pod[] {
    return this.#kubelet?.pods ?? [];
  }

  /** Resolves when so many are ready, API servers ask each of them, and one leads. */
  async started(kubelet: Kubelet, count: number): Promise<Pod> {
    this.#kubelet = kubelet;
    await kubelet.untilReady(count);
    return this.leader();
  }

  /** Who leads, by its own word; waits until one does. */
  async leader(): Promise<Pod> {
    return waitFor(
      async () => {
        const answers = await Promise.all(this.alive.map(async (pod) => pod.get("/leader")));
        return this.alive.find(
          (pod, index) => answers[index]?.text.trim() === `Leader: ${pod.name}`,
        );
      },
      { what: "a leader", everyMs: 10 },
    );
  }

  /** Who does not lead. */
  async followers(): Promise<readonly Pod[]> {
    const leader = await this.leader();
    return this.alive.filter((one) => one !== leader);
  }

  /** From now on the API server asks these only. */
  ask(pods: readonly Pod[]): void {
    this.#kubelet?.ask(pods);
  }

  /** SIGKILL: it has no chance to say good-bye. */
  async kill(pod: Pod): Promise<void> {
    pod.process.signal("SIGKILL");
    await pod.process.exit;
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

  get #all(): readonly Pod[] {
    return this.#kubelet?.all ?? [];
  }
}
