/** Options of node that shift the wall clock of a child process; its monotonic clock stays. */
export function skewedClock(offsetMs: number): readonly string[] {
  const code = `
    const Real = globalThis.Date;
    globalThis.Date = class Date extends Real {
      constructor(...parts) {
        if (parts.length === 0) super(Real.now() + ${offsetMs});
        else super(...parts);
      }
      static now() {
        return Real.now() + ${offsetMs};
      }
    };`;
  return ["--import", `data:text/javascript,${encodeURIComponent(code)}`];
}
