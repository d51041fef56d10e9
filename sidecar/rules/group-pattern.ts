/** API groups as rules write them: exact, or with `*` for any characters, dots and hyphens among them. */

export interface GroupPattern {
  /** As it is written; "" is the core group. */
  readonly text: string;
  /** Without `*`: one group, known from the rule alone. */
  readonly exact: boolean;
  includes(group: string): boolean;
}

/** `*` includes every group, the core one too; `*.test.io` includes `my-app.test.io` and `a.b.test.io`, not `test.io`. */
export function groupPattern(text: string): GroupPattern {
  if (!text.includes("*")) return { text, exact: true, includes: (group) => group === text };
  const parts = text.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return { text, exact: false, includes: (group) => expression.test(group) };
}

/** Letters in lower case, digits, hyphens, dots and `*`: what a group or a pattern of groups is made of. */
export function isGroupPattern(text: string): boolean {
  return /^[-a-z0-9.*]*$/.test(text);
}
