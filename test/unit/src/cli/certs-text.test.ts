import { describe, expect, it } from "vitest";
import { certificatesText, rotateText } from "../../../../src/cli/certs-text.js";
import type { CertificatesReport } from "../../../../src/ports/certificates-report.js";

const DATES = { from: "2025-12-31T23:00:00.000Z", until: "2026-04-01T00:00:00.000Z", daysLeft: 90 };
const REPORT: CertificatesReport = {
  apiVersion: "svc-ferry.io/cli/v1",
  kind: "CertificatesReport",
  time: "2026-01-01T00:00:00.000Z",
  mode: "self",
  cluster: "eks-a",
  secret: { name: "k8s-sync/svc-ferry-webhook-tls", exists: true },
  cas: [
    { id: "0123456789abcdef", in: "secret", role: "signs", ...DATES },
    { id: "fedcba9876543210", in: "secret", role: "unusable", ...DATES, daysLeft: -1 },
  ],
  leaves: [
    {
      name: "serving",
      in: "secret",
      state: "good",
      names: ["a.b.svc", "a.b.svc.cluster.local"],
      ...DATES,
      signedBy: "0123456789abcdef",
    },
    { name: "hand-off", in: "secret", state: "missing", names: [] },
  ],
  stampKeys: { current: true, previous: false },
  configurations: [
    { kind: "mutating", name: "svc-ferry", state: "trusts", entries: 2, namesLacking: [] },
    {
      kind: "validating",
      name: "svc-ferry",
      state: "does-not-trust",
      entries: 1,
      namesLacking: ["10.0.0.1"],
    },
  ],
  next: {
    step: "renew",
    reason: "ends-soon",
    at: "2026-03-02T00:00:00.000Z",
    what: ["serving", "hand-off"],
  },
  problems: [{ problem: "the hand-off certificate is missing", fix: "wait" }],
};

const lineOf = (text: string, start: string) =>
  text.split("\n").find((line) => line.startsWith(start));

describe("certificatesText", () => {
  it("is tables, then what comes next and what is wrong", () => {
    expect(certificatesText(REPORT)).toBe(
      `Secret k8s-sync/svc-ferry-webhook-tls in eks-a · certs mode self

CA                IN      ROLE      FROM                  UNTIL                 DAYS LEFT
0123456789abcdef  secret  signs     2025-12-31T23:00:00Z  2026-04-01T00:00:00Z  90
fedcba9876543210  secret  UNUSABLE  2025-12-31T23:00:00Z  2026-04-01T00:00:00Z  -1

LEAF      IN      STATE    FROM                  UNTIL                 DAYS LEFT  SIGNED BY         NAMES
serving   secret  good     2025-12-31T23:00:00Z  2026-04-01T00:00:00Z  90         0123456789abcdef  a.b.svc, a.b.svc.cluster.local
hand-off  secret  MISSING  -                     -                     -          -                 -

STAMP KEY  STATE
current    there
previous   not there

WEBHOOK CONFIGURATION  STATE                          ENTRIES  NAMES THE CERTIFICATE LACKS
mutating/svc-ferry     trusts what is served          2        -
validating/svc-ferry   DOES NOT TRUST what is served  1        10.0.0.1

Next: renew serving, hand-off (ends-soon) at 2026-03-02T00:00:00Z, in 60d
PROBLEM: the hand-off certificate is missing
  fix: wait
`,
    );
  });

  it("says what is not there, and what somebody has asked for", () => {
    const text = certificatesText({
      ...REPORT,
      cas: [],
      secret: { name: "k8s-sync/tls", exists: false, requested: "\u001b[2J" },
      configurations: [
        { kind: "mutating", name: "svc-ferry", state: "missing", entries: 0, namesLacking: [] },
      ],
    });

    expect(text).toMatch(/^Secret k8s-sync\/tls \(does not exist\) in eks-a/);
    expect(text).toContain("\nno CA\n");
    expect(text).toContain("mutating/svc-ferry     missing: calls nobody");
    expect(text).toContain("Requested: \\u001b[2J\n");
  });

  it.each<[string, CertificatesReport["next"]]>([
    [
      "Next: prune 0123456789abcdef (overlap-over) now: the leader does it within seconds, if one leads",
      { step: "prune", reason: "overlap-over", at: REPORT.time, what: ["0123456789abcdef"] },
    ],
    [
      "Next: sign, as soon as every webhook configuration trusts the new CA",
      { step: "wait", reason: "configurations", at: REPORT.time, what: [] },
    ],
    ["Next: nothing in sight", undefined],
  ])("says %s", (line, next) => {
    const { next: _other, ...rest } = REPORT;

    expect(lineOf(certificatesText({ ...rest, ...(next && { next }) }), "Next")).toBe(line);
  });

  it("cannot be made to print control characters", () => {
    const configurations = REPORT.configurations.map((one) => ({
      ...one,
      namesLacking: ["\u202eevil\n"],
    }));

    const text = certificatesText({ ...REPORT, configurations, cluster: "a\u001b[2J" });

    expect(text).not.toContain("\u001b");
    expect(text).not.toContain("\u202e");
    expect(text).toContain("\\u202eevil\\n\n");
  });
});

describe("rotateText", () => {
  const requested = {
    kind: "requested",
    rotation: "ca",
    replaced: undefined,
    overlapMs: 86_400_000,
    dropsStampKey: false,
  } as const;

  it("says that a CA takes two overlaps", () => {
    expect(rotateText(requested)).toBe(
      `requested: ca
the leader adds a new CA to the bundle and to the webhook configurations within seconds;
1d later it signs new certificates, another 1d later the old CA leaves the bundle;
nothing is refused meanwhile
see \`svc-ferry certs status\`
`,
    );
  });

  it("says that leaves are made anew within seconds", () => {
    expect(rotateText({ ...requested, rotation: "leaf" })).toContain(
      "the leader makes serving and hand-off certificate anew within seconds",
    );
  });

  it("says what still counts of a key of stamps, and which one goes", () => {
    const stamp = { ...requested, rotation: "stamp" } as const;

    expect(rotateText(stamp)).not.toContain("goes");
    expect(rotateText({ ...stamp, dropsStampKey: true })).toContain("the previous key goes");
  });

  it("says which request is lost", () => {
    expect(rotateText({ ...requested, replaced: "leaf\n" })).toContain(
      "replaced the request for leaf\\n, which had not begun\n",
    );
  });

  it("says that it is requested already, or under way", () => {
    expect(rotateText({ kind: "already-requested", rotation: "stamp" })).toMatch(
      /^stamp is requested already/,
    );
    expect(rotateText({ kind: "under-way", signsAt: "2026-01-02T00:00:01.000Z" })).toContain(
      "at the earliest at 2026-01-02T00:00:01Z. Nothing is requested\n",
    );
  });
});
