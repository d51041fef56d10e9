/**
 * What the ledger says of one object that is ours. Written in the transaction that writes the object, so that one cannot be
 * there without the other. No content and no hash of it: that would be an oracle for guessing Secrets.
 *
 * As stored, one line of text (etcdctl can show it), fields by spaces:
 *
 *     1 <source mod_revision> <epoch> <rule> <flags> <source uid> <destination uid> [<destination mod_revision> [<owners>]]
 *
 * `-` stands for an empty field, `=` for a destination uid that is the source's. Flags: `a` written through the API. The
 * destination's mod_revision is there only where the object was not written by the record's own transaction (adoption, touch,
 * fold); owners are paths, percent-encoded, by commas.
 */

/** One object of the destination that is ours. */
export interface LedgerRecord {
  /** mod_revision of the value in the source that the object was made from. */
  readonly sourceRevision: bigint;
  /** What it was made with: see TransformEpoch. */
  readonly epoch: string;
  /** Index of the rule that matched, in the rules of that epoch. */
  readonly rule: number;
  readonly via: "etcd" | "api";
  readonly sourceUid: string;
  readonly destinationUid: string;
  /** mod_revision of the object as we left it; undefined: the record's own, as both were written at once. */
  readonly destinationRevision: bigint | undefined;
  /** Paths of the mirrored owners whose references the object holds: before one of them goes, the object lets go of it. */
  readonly owners: readonly string[];
}

/** What stands in etcd cannot be understood: a newer version wrote it, or a person. The link refuses to write then. */
export class BookUnreadable extends Error {
  override readonly name = "BookUnreadable";
  constructor(readonly what: "record" | "batch" | "state" | "debt") {
    super(`a ${what} of this link is not in a format that this version reads`);
  }
}

const VERSION = "1";
const NONE = "-";
const SAME = "=";
/** Of a record with nothing left out at its end, as a batch holds it. */
const FIELDS = 9;

export function encodeRecord(record: LedgerRecord): Buffer {
  return Buffer.from(recordText(record).replace(/( -){1,2}$/, ""), "utf8");
}

/** @throws BookUnreadable */
export function decodeRecord(value: Buffer): LedgerRecord {
  return recordOf(value.toString("utf8").split(" "));
}

/** One object of a bulk transaction. */
export interface BatchEntry {
  readonly path: string;
  readonly record: LedgerRecord;
}

/**
 * One record for each object of a bulk transaction, ended by NUL, the path behind it. Names of some kinds (roles) may hold
 * spaces and line ends, none holds NUL.
 */
export function encodeBatch(entries: readonly BatchEntry[]): Buffer {
  const texts = entries.map(({ path, record }) => `${recordText(record)} ${path}`);
  return Buffer.from(texts.join("\0"), "utf8");
}

/** @throws BookUnreadable */
export function decodeBatch(value: Buffer): readonly BatchEntry[] {
  return value
    .toString("utf8")
    .split("\0")
    .map((text) => {
      const fields = text.split(" ");
      const path = fields.slice(FIELDS).join(" ");
      if (path === "") throw new BookUnreadable("batch");
      return { path, record: recordOf(fields.slice(0, FIELDS)) };
    });
}

function recordText(record: LedgerRecord): string {
  const { sourceUid, destinationUid } = record;
  const to = destinationUid === sourceUid ? SAME : destinationUid || NONE;
  const flags = record.via === "api" ? "a" : NONE;
  const at = record.destinationRevision ?? NONE;
  const owners = record.owners.map(encodeURIComponent).join(",") || NONE;
  return `${VERSION} ${record.sourceRevision} ${record.epoch} ${record.rule} ${flags} ${sourceUid || NONE} ${to} ${at} ${owners}`;
}

function recordOf(fields: readonly string[]): LedgerRecord {
  const [version, revision, epoch, rule, flags, from, to, at = NONE, owners = NONE] = fields;
  if (version !== VERSION || epoch === undefined || from === undefined || to === undefined) {
    throw new BookUnreadable("record");
  }
  return {
    sourceRevision: number(revision),
    epoch,
    rule: Number(number(rule)),
    via: flags === "a" ? "api" : "etcd",
    sourceUid: uid(from),
    destinationUid: uid(to === SAME ? from : to),
    destinationRevision: at === NONE ? undefined : number(at),
    owners: owners === NONE ? [] : owners.split(",").map(decodeURIComponent),
  };
}

function number(text: string | undefined): bigint {
  if (text === undefined || !/^\d{1,19}$/.test(text)) throw new BookUnreadable("record");
  return BigInt(text);
}

function uid(text: string): string {
  return text === NONE ? "" : text;
}
