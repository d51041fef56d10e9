/** The oldest Node that has all that is used: 22.19, as `engines` of package.json says. */
const OLDEST = { major: 22, minor: 19 };

/** What to say where Node is too old: else it would end in the middle of something, with words of its own. undefined: it is not. */
export function whyNodeIsTooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return undefined;
  return `error: svc-ferry needs Node ${OLDEST.major}.${OLDEST.minor} or newer, and this is ${version}\n`;
}
