/** Wakes the one who waits that there is something to do. */
export class Bell {
  #wake: (() => void) | undefined;

  call(): void {
    this.#wake?.();
  }

  /** Resolves at the next call, or when `signal` aborts. NB: a call before it is not remembered: look first, then wait. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
