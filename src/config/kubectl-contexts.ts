/** By which names kubectl reaches the clusters of a configuration: for commands that people paste. */
import type { Config } from "./config.js";

/** In a pod a cluster has no context: its name stands in. */
export function contextOf({ name, access }: Config["source"]): string {
  return access.kind === "kubeconfig" ? access.context : name;
}

export interface Contexts {
  readonly sourceContext: string;
  readonly destinationContext: string;
}

export function contextsOf({ source, destinations }: Config, destination: string): Contexts {
  const there = destinations.find(({ name }) => name === destination);
  return {
    sourceContext: contextOf(source),
    destinationContext: there === undefined ? destination : contextOf(there),
  };
}
