import type { KubeObject } from "../src/ports/kube-api.js";
import { SECRETS } from "../src/ports/kube-resources.js";
import type { ObjectWatch } from "../src/ports/object-watch.js";
import type { Secret } from "./secret-content.js";
import {
  CONFIGURATION_KINDS,
  CONFIGURATIONS,
  type ConfigurationKind,
  type WebhookConfiguration,
} from "./webhook-configuration.js";

/** Which objects the certificates are about. */
export interface CertificateObjects {
  readonly secret: { readonly namespace: string; readonly name: string };
  /** Name of both webhook configurations; undefined: none of ours, as long as admission is off. */
  readonly configurations: string | undefined;
}

/** Who wants to hear of these objects. */
export interface CertificateObserver {
  /** undefined: there is none. */
  secretChanged?(secret: Secret | undefined): void;
  configurationChanged?(
    kind: ConfigurationKind,
    configuration: WebhookConfiguration | undefined,
  ): void;
}

/** One watch of each object for everybody in this process, leader or not. */
export class Observed {
  constructor(
    private readonly objects: CertificateObjects,
    private readonly watch: ObjectWatch,
    private readonly observers: readonly CertificateObserver[],
  ) {}

  /** Until `signal` aborts. Never rejects. */
  async start(signal: AbortSignal): Promise<void> {
    const { secret, configurations: name } = this.objects;
    const kinds = name === undefined ? [] : CONFIGURATION_KINDS;
    await Promise.all([
      this.watch.follow(SECRETS, secret, (object) => this.#secret(object), signal),
      ...kinds.map((kind) =>
        this.watch.follow(
          CONFIGURATIONS[kind],
          { name: name ?? "" },
          (object) => this.#configuration(kind, object),
          signal,
        ),
      ),
    ]);
  }

  #secret(secret: KubeObject | undefined): void {
    for (const observer of this.observers) observer.secretChanged?.(secret);
  }

  #configuration(kind: ConfigurationKind, configuration: KubeObject | undefined): void {
    for (const observer of this.observers) observer.configurationChanged?.(kind, configuration);
  }
}
