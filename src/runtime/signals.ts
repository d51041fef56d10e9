/** How the process is asked to end. */

type Name = "SIGTERM" | "SIGINT";

/** Exit codes are 128 + the signal's number, as shells have it. */
const EXIT_CODES: Readonly<Record<Name, number>> = { SIGTERM: 143, SIGINT: 130 };

export interface SignalSource {
  on(name: Name, listener: (name: Name) => void): unknown;
  off(name: Name, listener: (name: Name) => void): unknown;
}

export interface Termination {
  /** Aborts at the first SIGTERM or SIGINT; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Stops listening; the signals then do what they do without us. */
  readonly release: () => void;
}

/**
 * The first signal asks for an orderly stop, a second one means that it takes too long: exit at once.
 *
 * @param source the process
 * @param exit called at the second signal; flushes what it can and does not return
 */
export function termination(source: SignalSource, exit: (code: number) => void): Termination {
  const controller = new AbortController();
  const listener = (name: Name): void => {
    if (controller.signal.aborted) exit(EXIT_CODES[name]);
    else controller.abort(name);
  };
  source.on("SIGTERM", listener);
  source.on("SIGINT", listener);
  return {
    signal: controller.signal,
    release: () => {
      source.off("SIGTERM", listener);
      source.off("SIGINT", listener);
    },
  };
}
