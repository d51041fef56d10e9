/** What a check-up comes to, as `-o json` prints it. Pure. */
import type { Clock } from "../ports/clock.js";
import type { CheckReport, CheckResult, DoctorReport } from "../ports/doctor-report.js";
import { rfc3339 } from "../ports/timestamps.js";

/** @param version of svc-ferry */
export function doctorReport(
  checks: readonly CheckReport[],
  { version, clock }: { readonly version: string; readonly clock: Clock },
): DoctorReport {
  const count = (result: CheckResult): number =>
    checks.filter((check) => check.result === result).length;
  return {
    apiVersion: "svc-ferry.io/cli/v1",
    kind: "DoctorReport",
    time: rfc3339(clock.now()),
    version,
    summary: { ok: count("ok"), warn: count("warn"), fail: count("fail"), skip: count("skip") },
    checks,
  };
}
