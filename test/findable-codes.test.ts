/** Everything that can be wrong is found by `explain` or `doctor`: for each code a test breaks exactly that, and sees it found. */
import { describe, expect, it } from "vitest";
import type { ReasonCode } from "../src/domain/codes.js";
import type { ErrorCode } from "../src/ports/errors.js";
import { tableRows, textOf } from "./fixtures/source-text.js";

/** A file of tests, and the title of the one. */
type Test = readonly [file: string, title: string];

const LIVE = "test/integration/tools/codes.test.ts";
const EXPLAIN = "test/unit/src/explain-command.test.ts";
const DOCTOR = "test/integration/tools/doctor.test.ts";
const CHECKUP = "test/unit/src/doctor/cluster-checks.test.ts";

/** Real leaders, and ways to real servers on which exactly that goes wrong. */
const broken = (title: string): Test => ["test/integration/tools/breakages.test.ts", title];
/**
 * As a leader's status would have it: what no server can be made to do in the time of a test, and is over before anybody asks.
 * FERRY-K010 is a watch that was silent for minutes, and is opened again at once; FERRY-L001 is the last word of a process that
 * leads no more, and the next one knows nothing of it.
 */
const TOLD_BY_THE_LEADER: Test = [
  "test/unit/src/cli/explain.test.ts",
  "finds that the leader's attempts fail with %s",
];
const live = (title: string): Test => [LIVE, title];

const FOUND_BY: Readonly<Record<ReasonCode | Exclude<ErrorCode, "FERRY-K012">, Test>> = {
  "is-a-mirror": live("is-a-mirror"),
  "not-selected": ["test/integration/tools/explain.test.ts", "finds the label missing"],
  "invalid-name": live("%s"),
  "name-too-long": live("%s"),
  "invalid-namespace": live("%s"),
  "target-not-allowed": live("%s"),
  "name-occupied": ["test/integration/tools/explain.test.ts", "finds a name that is occupied"],
  "name-taken": live("name-taken"),
  "held-by-other-link": live("held-by-other-link"),
  "no-common-ip-family": [EXPLAIN, "finds %s, at the step %s"],
  "namespace-missing": live("namespace-missing and namespace-terminating"),
  "namespace-terminating": live("namespace-missing and namespace-terminating"),
  "rejected-by-destination": live("rejected-by-destination, without storing anything"),
  "mirror-terminating": live("mirror-terminating"),
  paused: live("%s"),
  "link-held-elsewhere": live("link-held-elsewhere"),
  "mass-delete-blocked": [
    "test/unit/src/cli/explain.test.ts",
    "shows a brake that holds a deletion",
  ],
  "route-gone": live("route-gone and former-cluster, of mirrors that nobody wants"),
  "former-cluster": live("route-gone and former-cluster, of mirrors that nobody wants"),
  "deletion-not-proven": [EXPLAIN, "finds %s for a mirror that nobody wants"],
  "foreign-endpoints": live("foreign-endpoints"),
  "address-not-allowed": [EXPLAIN, "finds addresses that were left out"],
  "type-reduced": live("type-reduced and cluster-local-external-name, of what is synced"),
  "cluster-local-external-name": live(
    "type-reduced and cluster-local-external-name, of what is synced",
  ),
  "endpoints-truncated": [EXPLAIN, "finds Endpoints that hold only a part"],
  "FERRY-K001": [CHECKUP, "tells why it is not reached: %s"],
  "FERRY-K002": [CHECKUP, "tells why it is not reached: %s"],
  "FERRY-K003": broken("%s, when it %s"),
  "FERRY-K004": [CHECKUP, "tells a server that is not ready"],
  "FERRY-K005": [DOCTOR, "finds a context that the kubeconfig has not"],
  "FERRY-K006": [DOCTOR, "asks verb by verb, and names for each that is missing"],
  "FERRY-K007": broken("%s, when it %s"),
  "FERRY-K008": broken("%s: %s"),
  "FERRY-K009": broken("%s: %s"),
  "FERRY-K010": TOLD_BY_THE_LEADER,
  "FERRY-K011": broken("%s, when it %s"),
  "FERRY-L001": TOLD_BY_THE_LEADER,
  "FERRY-R001": broken("FERRY-R001, when somebody else writes"),
  "FERRY-R002": broken("FERRY-R002, when the source's list has lost slices"),
  "FERRY-H001": [DOCTOR, "finds that a replica does not reach the leader"],
};

/** A process that meets another cluster ends: nobody is left to be asked, and the next one takes the cluster as it is. */
const TOLD_BY_ITS_END = ["FERRY-K012"];

/** What k8s-svc-sync told people to look for. */
const TROUBLE_SHOOTING: Readonly<Record<string, Test>> = {
  "the label is missing": FOUND_BY["not-selected"],
  "no endpoint is ready": [
    "test/integration/tools/explain.test.ts",
    "finds that no endpoint is ready, and names the pods",
  ],
  "the kubeconfig or its context is wrong": [
    DOCTOR,
    "finds a context that the kubeconfig has not, one cluster in both roles, and no namespace",
  ],
  "an API server is out of reach": [DOCTOR, "tells %s apart"],
  "rights on leases are missing": FOUND_BY["FERRY-K006"],
  "the namespace of the Lease is missing": [
    DOCTOR,
    "finds that nobody leads, and a namespace of the Lease that is missing",
  ],
};

/** Reasons and errors; the mirror of etcd has commands of its own for its codes. */
function documented(): readonly string[] {
  const codes = tableRows("docs/codes.md").map(([code = ""]) => code);
  return codes.slice(0, codes.findIndex((code) => code === "FERRY-H001") + 1);
}

describe("explain and doctor", () => {
  it("have a test that breaks exactly that for every code of docs/codes.md", () => {
    expect(documented().length).toBeGreaterThan(35);
    expect(documented().filter((code) => !TOLD_BY_ITS_END.includes(code))).toEqual(
      Object.keys(FOUND_BY),
    );
  });

  it.each(Object.entries(FOUND_BY))("find %s, by a test that there is", (code, [file, title]) => {
    const text = textOf(file);

    expect(text).toMatch(new RegExp(`(?:it|\\)|>)\\(\\s*"${escaped(title)}`));
    expect(text).toContain(code);
  });

  it.each(Object.entries(TROUBLE_SHOOTING))("find that %s", (_, [file, title]) => {
    expect(textOf(file)).toContain(title);
  });
});

function escaped(title: string): string {
  return title.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
