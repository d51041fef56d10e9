/** One line of the result. Texts with their units; what does not apply is "". */
export interface Row {
  /** Which part measured it. */
  readonly part: string;
  readonly what: string;
  readonly bare: string;
  readonly ferry: string;
  readonly goal: string;
  /** undefined: there is no goal, it is told for information. */
  readonly reached: boolean | undefined;
}

/**
 * Both measured in the same run; the goal is a limit of their ratio. What is a difference may be less than nothing, where noise is
 * larger than it: then there is no ratio, and the goal is not reached.
 */
export function ratioRow(
  at: { readonly part: string; readonly what: string; readonly unit: string },
  measured: { readonly bare: number; readonly ferry: number },
  limit: number | undefined,
): Row {
  const ratio = measured.bare > 0 ? measured.ferry / measured.bare : undefined;
  const times = ratio === undefined ? "no ratio" : `${ratio.toFixed(2)} ×`;
  return {
    part: at.part,
    what: at.what,
    bare: `${rounded(measured.bare)} ${at.unit}`,
    ferry: `${rounded(measured.ferry)} ${at.unit} (${times})`,
    goal: limit === undefined ? "" : `≤ ${limit} ×`,
    reached: limit === undefined ? undefined : ratio !== undefined && ratio <= limit,
  };
}

/** Both measured in the same run; the goal is a limit of svc-ferry's own value. */
export function besideRow(
  at: { readonly part: string; readonly what: string; readonly unit: string },
  measured: { readonly bare: number; readonly ferry: number },
  limit: number,
): Row {
  const { bare, ferry } = ratioRow(at, measured, undefined);
  return { ...limitRow(at, measured.ferry, limit), bare, ferry };
}

/** Measured for svc-ferry alone, with a limit that must not be passed (or none). */
export function limitRow(
  at: { readonly part: string; readonly what: string; readonly unit: string },
  value: number,
  limit?: number,
): Row {
  return {
    part: at.part,
    what: at.what,
    bare: "",
    ferry: `${rounded(value)} ${at.unit}`,
    goal: limit === undefined ? "" : `≤ ${limit} ${at.unit}`,
    reached: limit === undefined ? undefined : value <= limit,
  };
}

/** Measured for svc-ferry alone; more is better. */
export function atLeastRow(
  at: { readonly part: string; readonly what: string; readonly unit: string },
  value: number,
  least: number,
): Row {
  return { ...limitRow(at, value), goal: `≥ ${least} ${at.unit}`, reached: value >= least };
}

/** A count that must be exactly this. */
export function exactRow(part: string, what: string, value: number, wanted: number): Row {
  return {
    part,
    what,
    bare: "",
    ferry: String(value),
    goal: String(wanted),
    reached: value === wanted,
  };
}

/** Three digits are as much as such a measurement knows. */
function rounded(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}
