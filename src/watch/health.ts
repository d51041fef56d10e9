import { codeOf, isVersionError } from "./pace.js";
import type { ReflectorOptions, ReflectorState } from "./reflector-options.js";

const SILENT = "FERRY-K010";

/** What a reflector shows of itself: state, last contact, and one log line when it breaks, another when it works again. */
export class Health {
  state: ReflectorState = "listing";
  #lastContactMs: number | undefined;
  #lastFailure: string | undefined;

  constructor(
    private readonly options: Pick<
      ReflectorOptions<unknown>,
      "api" | "clock" | "log" | "observer" | "resource"
    >,
  ) {}

  get lastContactMs(): number | undefined {
    return this.#lastContactMs;
  }

  /** The server sent something. */
  contact(): void {
    this.#lastContactMs = this.options.clock.monotonicMs();
  }

  failed(err: unknown): void {
    const { api, log, observer, resource } = this.options;
    const code = codeOf(err);
    observer?.failed(code);
    // Silence proves nothing: where etcd notifies of its progress rarely, a quiet watch hears nothing for two minutes.
    if (code === SILENT) return;
    this.state = "broken";
    // A version that grew too old is everyday life, and a repeated failure is no news.
    if (isVersionError(err) || code === this.#lastFailure) return;
    this.#lastFailure = code;
    log.warn(
      { cluster: api.cluster, resource: resource.plural, code, err },
      "watch failed, trying again",
    );
  }

  /** A list or an event came in. */
  works(): void {
    this.contact();
    if (this.#lastFailure === undefined) return;
    this.#lastFailure = undefined;
    const { api, log, resource } = this.options;
    log.info({ cluster: api.cluster, resource: resource.plural }, "watch recovered");
  }
}
