/** Takes arguments as k8s-svc-sync took them: Go's flag package knows no difference between one dash and two. */

/**
 * Gives known long flags their second dash: `-src-context=x` becomes `--src-context=x`. Everything else stays as it is,
 * so that short flags (`-o wide`) and values keep their meaning; nothing behind a bare `--` is touched.
 */
export function withTwoDashes(
  args: readonly string[],
  longNames: ReadonlySet<string>,
): readonly string[] {
  const end = args.indexOf("--");
  return args.map((arg, index) => {
    const name = /^-([a-z][-a-z0-9]+)(?:=|$)/s.exec(arg)?.[1];
    const isFlag = name !== undefined && longNames.has(name) && (end < 0 || index < end);
    return isFlag ? `-${arg}` : arg;
  });
}
