/**
 * Lets all promise chains run to rest: one turn of the event loop begins only when
 * no microtask is left. NB: it waits for promises only, not for sockets, files or
 * thread pools; what runs in the simulation must not use those.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
