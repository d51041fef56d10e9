/** Asking a cluster who it is, before anything is believed of it. */
import type { Clock } from "./ports/clock.js";
import { TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import { NAMESPACES } from "./ports/kube-resources.js";

/** The UID of its kube-system. @throws what the API client throws; TerminalError FERRY-K007 when it has none */
export async function clusterUid(api: KubeApi, signal: AbortSignal): Promise<string> {
  const system = await api.get(NAMESPACES, { name: "kube-system" }, signal);
  if (system?.metadata.uid !== undefined) return system.metadata.uid;
  throw new TerminalError("FERRY-K007", `${api.cluster} has no namespace kube-system`);
}

/** Between attempts to reach a cluster at start. */
const RETRY_MS = 1_000;

export interface Patience {
  readonly clock: Clock;
  /** Hears of each trouble that is another than the one before. */
  readonly onTrouble: (error: unknown) => void;
}

/** Asks for as long as it takes. undefined: aborted meanwhile. */
export async function untilAnswered<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { clock, onTrouble }: Patience,
  signal: AbortSignal,
): Promise<T | undefined> {
  let reported: string | undefined;
  while (!signal.aborted) {
    try {
      return await ask(signal);
    } catch (error) {
      const text = String(error);
      if (!signal.aborted && text !== reported) onTrouble(error);
      reported = text;
      await clock.sleep(RETRY_MS, signal);
    }
  }
  return undefined;
}
