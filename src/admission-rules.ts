/** What admission decides by in this process: the rules, what the caches know, the key of the stamp. */
import { Admission } from "../webhook/admission.js";
import { Mutator } from "../webhook/mutator.js";
import { Validator } from "../webhook/validator.js";
import type { Config } from "./config/config.js";
import type { Core } from "./core.js";
import type { Service } from "./domain/objects.js";
import type { ServiceKey } from "./domain/service-key.js";
import {
  authorOf,
  stampIn,
  type Author,
  type ContentContext,
  type Signer,
  type StampCheck,
} from "./domain/stamp.js";
import { SpentStamps } from "./intake/spent-stamps.js";
import type { ClusterViews } from "./ports/cluster-views.js";
import type { HintSink } from "./ports/hint.js";
import { parseRfc3339 } from "./ports/timestamps.js";
import { isConnected } from "./status-report.js";
import { VERSION } from "./version.js";
import type { Surroundings } from "./surroundings.js";

export interface AdmissionRulesParts {
  readonly around: Surroundings;
  readonly core: () => Core;
  readonly hints: HintSink;
  /** undefined: the key is not loaded yet. */
  readonly signer: () => Signer | undefined;
}

/** Of a user's name; nobody's is longer, and it is written into annotations. */
const MAX_USER_CHARS = 256;

export class AdmissionRules {
  readonly handlers: Admission;
  readonly #validator: Validator;
  readonly #spent = new SpentStamps();
  #check: StampCheck | undefined;
  #context: { readonly mapping: unknown; readonly content: ContentContext } | undefined;

  constructor(
    private readonly config: Config,
    private readonly parts: AdmissionRulesParts,
  ) {
    const { around, hints, signer } = parts;
    const { clock, random, log, digest } = around;
    const context = (): ContentContext => this.#content();
    const shown = (username: string): string => this.#shown(username);
    this.#validator = new Validator({ clock, views: this.#views(), context });
    this.handlers = new Admission({
      mutator: new Mutator({ clock, random, digest, context, signer, shown }),
      validator: this.#validator,
      hints,
      clock,
      log,
      context,
      shown,
      showsGroups: config.webhook.changedBy === "full",
      self: { podName: config.podName, version: VERSION },
    });
  }

  /** The source's cache has something new about this Service. */
  observed(key: ServiceKey): void {
    const service = this.parts.core().cache.service(key);
    if (service === undefined) return this.#spent.forget(key);
    this.#validator.observed(service);
    const signature = stampIn(service.annotations)?.signature ?? "";
    // A key that is not here yet is no proof of anything.
    if (this.parts.signer()?.knows(signature) === true) {
      this.#spent.observed(service, this.#signedBy(service));
    }
  }

  /** Who made a Service what it is; undefined: that cannot be told before the key is loaded. */
  authorOf(service: Service): Author | undefined {
    const author = this.#signedBy(service);
    return author && this.#spent.checked(service, author);
  }

  /** By the signature alone. */
  #signedBy(service: Service): Author | undefined {
    const check = this.#stampCheck();
    return check && authorOf(service, check);
  }

  /** The same one as long as key and rules are the same: by it, what was found out about a Service is found again. */
  #stampCheck(): StampCheck | undefined {
    const signer = this.parts.signer();
    const context = this.#content();
    if (signer === undefined) return undefined;
    if (this.#check?.signer !== signer || this.#check.context !== context) {
      this.#check = { signer, context, epochMs: parseRfc3339 };
    }
    return this.#check;
  }

  #views(): ClusterViews {
    const { core, around } = this.parts;
    return {
      get source() {
        return core().cache;
      },
      get sourceSynced() {
        return core().sourceSynced;
      },
      destination: (name) => {
        const link = core().links.find(({ settings }) => settings.name === name);
        return isConnected(link?.watches() ?? [], around.clock) ? link?.view : undefined;
      },
    };
  }

  /** The mapping changes with the routes, and when a destination turns out to be the source itself. */
  #content(): ContentContext {
    const { mapping, installation } = this.parts.core();
    if (this.#context?.mapping !== mapping) {
      this.#context = { mapping, content: { ...installation, ...mapping } };
    }
    return this.#context.content;
  }

  #shown(username: string): string {
    const { digest } = this.parts.around;
    switch (this.config.webhook.changedBy) {
      case "full":
        return username.slice(0, MAX_USER_CHARS);
      case "hash":
        return digest(username, 16);
      case "off":
        return "";
    }
  }
}
