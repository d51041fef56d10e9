/** The result of reading one text. `reason` follows the text in a sentence: "has no unit". */
export type Parsed<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "invalid"; readonly reason: string };

export function ok<T>(value: T): Parsed<T> {
  return { kind: "ok", value };
}

export function invalid(reason: string): { readonly kind: "invalid"; readonly reason: string } {
  return { kind: "invalid", reason };
}
