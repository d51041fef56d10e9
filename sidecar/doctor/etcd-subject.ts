/** One etcd as checks talk of it. */
import type { EtcdAccess } from "../../src/config/mirror-config.js";
import { checkKey, fail, type Check, type Outcome } from "../../src/doctor/check.js";
import { cannotBecause } from "../commands/cannot.js";
import { EncryptionUnavailable } from "../encryption/transformer.js";
import { EtcdError, type Etcd } from "../etcd/etcd.js";

export interface EtcdSubject {
  readonly access: EtcdAccess;
  /** Opened once; the same for every check. @throws Error when certificates or the password's file cannot be read */
  readonly open: () => Promise<Etcd>;
}

/** What one etcd is asked; everything else of a check follows. */
export interface EtcdQuestion {
  /** Behind "src-" or "dst-". */
  readonly id: string;
  /** Ids of checks of the same etcd, without "src-" and "dst-". */
  readonly after: readonly string[];
  readonly ask: (etcd: Etcd, signal: AbortSignal) => Promise<Outcome>;
}

export function etcdCheck(subject: EtcdSubject, { id, after, ask }: EtcdQuestion): Check {
  return {
    ...checkOf(subject, id),
    section: subject.access.name,
    pre: true,
    needs: after.map((one) => etcdKey(subject, one)),
    run: (signal) => findingOf(async () => ask(await subject.open(), signal)),
  };
}

/** By which others name a check of this etcd. @param id without "src-" and "dst-" */
export function etcdKey(subject: EtcdSubject, id: string): string {
  return checkKey(checkOf(subject, id));
}

function checkOf({ access }: EtcdSubject, id: string): Pick<Check, "id" | "subject"> {
  const side = access.name === "source" ? "src" : "dst";
  return { id: `${side}-${id}`, subject: access.endpoints.join(",") };
}

/** What people can do something about is a failure with the way out; all else is thrown, and a defect. */
export async function findingOf(ask: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof EncryptionUnavailable) {
      return fail(error.message, {
        text: "see that the KMS plugin runs, and listens on its socket",
      });
    }
    const answer = cannotBecause(error);
    if (answer === undefined) throw error;
    const remedy = { text: answer.fix };
    return error instanceof EtcdError
      ? fail(error.message, remedy, error.kind)
      : fail(answer.problem, remedy);
  }
}

/** Each etcd is opened once, whoever asks first, and closed at the end. */
export class OpenEtcds {
  readonly #opened = new Map<string, Promise<Etcd>>();

  constructor(private readonly openEtcd: (access: EtcdAccess) => Promise<Etcd>) {}

  subject(access: EtcdAccess): EtcdSubject {
    const open = (): Promise<Etcd> => {
      const opened = this.#opened.get(access.name) ?? this.openEtcd(access);
      this.#opened.set(access.name, opened);
      // Certificates that cannot be read now may be there at the next look.
      opened.catch(() => this.#opened.delete(access.name));
      return opened;
    };
    return { access, open };
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(
      opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])),
    );
  }
}
