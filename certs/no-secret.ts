import type { CertificateProblem } from "../src/ports/certificates-report.js";

/** What to say where there is no Secret. */
export function noSecret(secret: {
  readonly namespace: string;
  readonly name: string;
}): CertificateProblem {
  return {
    problem: `there is no Secret ${secret.namespace}/${secret.name}`,
    fix:
      "see that --leader-election-namespace is the one of `svc-ferry run`, that it runs with --webhook=on, and that one " +
      "leads: the leader makes it",
  };
}
