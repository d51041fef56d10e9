/** A pod, and the port on which it answers HTTP, also on its loopback only. */
export interface PodPort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** What a pod answered. */
export interface PodAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks a pod over HTTP by way of its API server, as `kubectl port-forward` does. */
export interface PodHttp {
  /** @throws RetryableError, TerminalError: FERRY-K006 without get and create on pods/portforward, FERRY-K011 when there is no such pod */
  get(pod: PodPort, path: string, signal: AbortSignal): Promise<PodAnswer>;
}
