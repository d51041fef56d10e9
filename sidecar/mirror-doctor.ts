/** What `svc-ferry mirror doctor` looks at: the files, both etcds, the books of the link, and the room for a first copy. */
import type { DestinationApi, MirrorConfig } from "../src/config/mirror-config.js";
import { checkKey, ok, type Check } from "../src/doctor/check.js";
import { checkup, selected, unknownNames } from "../src/doctor/checkup.js";
import { mirrorApiChecks } from "../src/doctor/mirror-api-checks.js";
import { doctorReport } from "../src/doctor/report.js";
import type { Clock } from "../src/ports/clock.js";
import type { DoctorAnswer, DoctorQuestion } from "../src/ports/doctor-report.js";
import type { InspectedCluster } from "../src/ports/inspected-cluster.js";
import type { Log } from "../src/ports/log.js";
import { LinkBooks } from "./commands/link-books.js";
import type { Encryption } from "./encryption/transformer.js";
import { MirrorFiles, type FileReadings } from "./mirror-files.js";
import type { MirrorParts } from "./mirror-parts.js";
import type { Ruleset } from "./rules/ruleset.js";
import { encryptionChecks, plaintext } from "./doctor/encryption-checks.js";
import { etcdChecks, transactionsCheck } from "./doctor/etcd-checks.js";
import { etcdCheck, etcdKey, OpenEtcds, type EtcdSubject } from "./doctor/etcd-subject.js";
import { fileCheck } from "./doctor/file-checks.js";
import { FirstCopy, type FirstCopyParts } from "./doctor/first-copy.js";
import { linkChecks } from "./doctor/link-check.js";
import { namesOf } from "./doctor/names-check.js";
import { spaceChecks } from "./doctor/space-check.js";

export interface MirrorDoctorParts {
  readonly config: MirrorConfig;
  readonly parts: MirrorParts;
  readonly clock: Clock;
  readonly log: Log;
  /** Of svc-ferry. */
  readonly version: string;
  /** Opens the destination's API server. @throws TerminalError FERRY-K005 when its kubeconfig cannot be read */
  readonly inspect: (api: DestinationApi) => Promise<InspectedCluster>;
}

interface Opened {
  readonly etcds: OpenEtcds;
  readonly clusters: ApiServer;
}

/** Where its checks are explained: their ids are no headings of their own. */
const PAGE = "docs/tools.md#svc-ferry-mirror-doctor";

/** Changes nothing; what fails is in the report and never thrown. */
export async function examineMirror(
  doctor: MirrorDoctorParts,
  question: Pick<DoctorQuestion, "only" | "skip" | "waitMs">,
  signal: AbortSignal,
): Promise<DoctorAnswer> {
  const { parts, clock, version } = doctor;
  const etcds = new OpenEtcds((access) => parts.openEtcd(access));
  const clusters = new ApiServer(doctor.inspect);
  const files = new ReadFiles(doctor);
  try {
    const checks = mirrorChecks(doctor, { etcds, clusters }, files);
    const names = unknownNames(checks, [...question.only, ...question.skip]);
    if (names.length > 0) return { kind: "unknown-names", names };
    const asked = selected(checks, { ...question, pre: false });
    const terms = { waitMs: question.waitMs, clock, docs: () => PAGE };
    const reports = await checkup(asked, terms, signal);
    return { kind: "report", report: doctorReport(reports, { version, clock }) };
  } finally {
    await etcds.close();
    await clusters.close();
    files.close();
  }
}

function mirrorChecks(
  doctor: MirrorDoctorParts,
  { etcds, clusters }: Opened,
  files: ReadFiles,
): readonly Check[] {
  const { config, clock } = doctor;
  const source = etcds.subject(config.source);
  const destination = etcds.subject(config.destination);
  const rules = rulesCheck(config, files);
  const parts = firstCopyOf(doctor, source, files);
  return [
    rules,
    namesCheck(source, checkKey(rules), parts),
    ...etcdChecks(source),
    ...encryptionChecks(source, async () => (await files.readings()).source),
    ...etcdChecks(destination),
    transactionsCheck(destination),
    ...encryptionChecks(destination, async () => (await files.readings()).destination),
    plaintextCheck({ source, destination, config }, files),
    ...spaceChecks(destination, source, {
      books: (etcd) => new LinkBooks(etcd, config.link),
      rules: checkKey(rules),
      copy: async () => {
        const of = await parts();
        return of && new FirstCopy(of);
      },
    }),
    ...clusters.checks(config, clock),
    ...linkChecks({ source, destination, config, clock }),
  ];
}

function rulesCheck({ rules }: MirrorConfig, files: ReadFiles): Check {
  return fileCheck(
    { id: "rules", section: "rules", subject: rules.path },
    async () => (await files.readings()).rules,
    (one) => (one.kind === "ok" ? rulesText(one.ruleset.rules.length) : one.why),
  );
}

/** undefined: there are no rules. */
type FirstCopyOf = () => Promise<FirstCopyParts | undefined>;

function firstCopyOf(
  { config, clock, log }: MirrorDoctorParts,
  source: EtcdSubject,
  files: ReadFiles,
): FirstCopyOf {
  const { kubePrefix: sourcePrefix } = config.source;
  return async () => {
    const { rules, source: encryption } = await files.valid();
    if (rules === undefined) return undefined;
    return { source: await source.open(), sourcePrefix, encryption, rules, clock, log };
  };
}

function namesCheck(source: EtcdSubject, rules: string, parts: FirstCopyOf): Check {
  const check = etcdCheck(source, {
    id: "names",
    after: ["etcd", "etcd-rights", "encryption"],
    ask: async (_, signal) => {
      const of = await parts();
      return of === undefined ? ok("there are none") : namesOf(of, signal);
    },
  });
  return { ...check, id: "rules-names", section: "rules", needs: [...check.needs, rules] };
}

function rulesText(count: number): string {
  return `${count} ${count === 1 ? "rule" : "rules"}`;
}

interface Sides {
  readonly source: EtcdSubject;
  readonly destination: EtcdSubject;
  readonly config: MirrorConfig;
}

/** The source is asked, and the destination's configuration judged. */
function plaintextCheck({ source, destination, config }: Sides, files: ReadFiles): Check {
  const { allowPlaintext } = config.writing;
  const check = etcdCheck(source, {
    id: "plaintext",
    after: ["etcd", "etcd-rights", "encryption"],
    ask: async (etcd, signal) =>
      plaintext(
        etcd,
        config.source.kubePrefix,
        { ...(await files.valid()), allowPlaintext },
        signal,
      ),
  });
  return {
    ...check,
    id: "dst-plaintext",
    section: "destination",
    subject: destination.access.endpoints.join(","),
    needs: [
      ...check.needs,
      etcdKey(destination, "encryption"),
      checkKey({ id: "rules", subject: config.rules.path }),
    ],
  };
}

/** The destination's API server, where one is configured: opened when a check asks, closed at the end. */
class ApiServer {
  #opened: Promise<InspectedCluster> | undefined;

  constructor(private readonly inspect: MirrorDoctorParts["inspect"]) {}

  checks({ destinationApi: api, writing }: MirrorConfig, clock: Clock): readonly Check[] {
    if (api === undefined) return [];
    const open = (): Promise<InspectedCluster> => {
      const opened = (this.#opened ??= this.inspect(api));
      // A kubeconfig that is wrong now may be right at the next look.
      opened.catch(() => (this.#opened = undefined));
      return opened;
    };
    const subject = {
      side: "destination",
      name: "API server",
      context: api.context ?? "CONTEXT",
      flags: "--dest-kubeconfig and --dest-context",
      open,
    } as const;
    const deletesNamespaces = writing.deleteNamespaces === "empty";
    return mirrorApiChecks(subject, { clock, deletesNamespaces });
  }

  async close(): Promise<void> {
    const [opened] = await Promise.allSettled([this.#opened]);
    if (opened.status === "fulfilled") await opened.value?.close();
  }
}

/** Read once, whichever check asks first; again while one of them is wrong, as it may be corrected meanwhile. */
class ReadFiles {
  #reading: Promise<FileReadings> | undefined;
  readonly #opened = new Set<Encryption>();

  constructor(private readonly doctor: MirrorDoctorParts) {}

  async readings(): Promise<FileReadings> {
    const reading = (this.#reading ??= new MirrorFiles(this.doctor).readings());
    const readings = await reading;
    const { rules, source, destination } = readings;
    for (const one of [source, destination]) if (one.kind === "ok") this.#opened.add(one.value);
    const isWrong = [rules, source, destination].some(({ kind }) => kind === "invalid");
    if (isWrong && this.#reading === reading) this.#reading = undefined;
    return readings;
  }

  /** For checks that need all three to be right. @throws TypeError when one is not: a check that they wait for has said so */
  async valid(): Promise<ValidFiles> {
    const { rules, source, destination } = await this.readings();
    if (rules.kind === "invalid" || source.kind === "invalid" || destination.kind === "invalid") {
      throw new TypeError("a file is not valid");
    }
    const ruleset = rules.value.kind === "ok" ? rules.value.ruleset : undefined;
    return { rules: ruleset, source: source.value, destination: destination.value };
  }

  /** Closes the sockets of KMS plugins. */
  close(): void {
    for (const keys of this.#opened) keys.close();
  }
}

interface ValidFiles {
  /** undefined: there are none. */
  readonly rules: Ruleset | undefined;
  readonly source: Encryption;
  readonly destination: Encryption;
}
