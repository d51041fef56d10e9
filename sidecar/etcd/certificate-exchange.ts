/**
 * Certificates that change on disk, taken into use without a restart and without a lost call: a new channel is proven first,
 * endpoint by endpoint, and where it does not connect the old one goes on.
 *
 * Files are read every few seconds instead of watched: Kubernetes exchanges a symbolic link two levels above.
 */
import type { ChannelCredentials } from "@grpc/grpc-js";
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { Endpoints } from "./endpoints.js";
import type { TlsFiles } from "./options.js";
import {
  type ReadFile,
  readTls,
  sameTls,
  secureCredentials,
  type TlsContent,
} from "./tls-files.js";

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly readFile: ReadFile;
  /** Certificates are looked at this often, ms; default 10 s. */
  readonly tlsCheckMs?: number;
}

interface Exchanged {
  /** Of the etcd, for logs. */
  readonly name: string;
  readonly files: TlsFiles;
  readonly endpoints: Endpoints;
}

const TLS_CHECK_MS = 10_000;

export class CertificateExchange {
  /** What the files held when they were last good, and what was made of it; undefined: in use from the start. */
  #content: TlsContent;
  #pending: ChannelCredentials | undefined;
  /** What was said last, so that it is said once. */
  #said = "";

  constructor(
    private readonly of: Exchanged,
    private readonly deps: ExchangeDeps,
    content: TlsContent,
  ) {
    this.#content = content;
  }

  /** Until the signal aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, tlsCheckMs = TLS_CHECK_MS } = this.deps;
    while (!signal.aborted) {
      await clock.sleep(tlsCheckMs, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { name: etcd, files } = this.of;
    try {
      const content = await readTls(files, this.deps.readFile);
      if (!sameTls(content, this.#content)) {
        this.#pending = secureCredentials(content, files.skipVerify);
        this.#content = content;
      }
      if (this.#pending !== undefined) await this.#exchange(this.#pending);
    } catch (error) {
      // Half of an exchange, mostly: the next look sees all of it.
      this.#once(String(error), () => {
        this.deps.log.warn({ etcd, err: error }, "etcd certificates cannot be read");
      });
    }
  }

  async #exchange(credentials: ChannelCredentials): Promise<void> {
    const { name: etcd, endpoints } = this.of;
    const refused = await endpoints.exchange(credentials);
    if (refused.length > 0) {
      this.#once(`refused ${refused.join()}`, () => {
        this.deps.log.warn(
          { etcd, refused },
          "new etcd certificates do not connect, the old go on",
        );
      });
      return;
    }
    this.#pending = undefined;
    this.#said = "";
    this.deps.log.info({ etcd }, "new etcd certificates are in use");
  }

  #once(what: string, say: () => void): void {
    if (this.#said !== what) say();
    this.#said = what;
  }
}
