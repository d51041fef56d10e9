/** Looks at both etcds beside the link: whether they answer, and how large they are. The link itself finds out by its own calls. */
import type { Clock } from "../src/ports/clock.js";
import { EtcdError, type Etcd } from "./etcd/etcd.js";

export interface SidesWatch {
  readonly source: Etcd;
  readonly destination: Etcd;
  readonly clock: Clock;
  /** After each question. @param trouble kind of the error; undefined: it was answered */
  readonly told: (name: "source" | "destination", trouble: string | undefined) => void;
}

/** A person who looks at the page is told of an outage within seconds; one read of one key is what it costs. */
const ANSWER_MS = 5_000;
/** Sizes of databases grow over hours. */
const SIZES_MS = 60_000;

/** Until `signal` aborts. */
export async function watchSides(watch: SidesWatch, signal: AbortSignal): Promise<void> {
  await Promise.all([
    followAnswers(watch, "source", signal),
    followAnswers(watch, "destination", signal),
    followSizes(watch, signal),
  ]);
}

async function followAnswers(
  watch: SidesWatch,
  name: "source" | "destination",
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const trouble = await whyNoAnswer(watch[name], signal);
    if (signal.aborted) return;
    watch.told(name, trouble);
    await watch.clock.sleep(ANSWER_MS, signal);
  }
}

async function whyNoAnswer(etcd: Etcd, signal: AbortSignal): Promise<string | undefined> {
  try {
    await etcd.revision({ signal });
    return undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof EtcdError) return error.kind;
    throw error;
  }
}

/** ObservedEtcd turns them into metrics. */
async function followSizes(
  { source, destination, clock }: SidesWatch,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const etcd of [source, destination]) {
      try {
        await etcd.members({ signal });
      } catch {
        // Counted as an error of that etcd; the next look comes by itself.
      }
    }
    await clock.sleep(SIZES_MS, signal);
  }
}
