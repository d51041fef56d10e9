import { runCommand } from "../controlplane/run-command.js";
import type { ControlPlane } from "../controlplane/control-plane.js";
import { Cluster } from "../harness/cluster.js";
import { LiveView } from "./live-view.js";
import { screen } from "./screen.js";

/** How kubectl is called in this demo. */
export interface Kubectl {
  readonly path: string;
  readonly kubeconfig: string;
  readonly cacheDir: string;
}

/** What is watched in a cluster. */
interface Views {
  readonly services: LiveView;
  readonly slices: LiveView;
  readonly events: LiveView;
  readonly pods: LiveView;
}

/** One of the two clusters: what is typed there and what is seen there. */
export class Scene {
  private constructor(
    readonly context: string,
    /** Of the story. */
    readonly namespace: string,
    private readonly kubectl: Kubectl,
    /** For what people do not do by hand: Pods as a kubelet has them. */
    readonly cluster: Cluster,
    readonly sees: Views,
  ) {}

  static async open(
    controlPlane: ControlPlane,
    namespace: string,
    kubectl: Kubectl,
  ): Promise<Scene> {
    const watch = async (group: string, plural: string): Promise<LiveView> =>
      LiveView.open(controlPlane, `/${group}/namespaces/${namespace}/${plural}`);
    const [services, slices, events, pods] = await Promise.all([
      watch("api/v1", "services"),
      watch("apis/discovery.k8s.io/v1", "endpointslices"),
      watch("api/v1", "events"),
      watch("api/v1", "pods"),
    ]);
    const views = { services, slices, events, pods };
    return new Scene(controlPlane.context, namespace, kubectl, new Cluster(controlPlane), views);
  }

  /** Types a kubectl command, with the namespace, and shows it and its answer. */
  async type(...args: readonly string[]): Promise<void> {
    screen.typed(
      `kubectl --context ${this.context} -n ${this.namespace} ${args.map(quoted).join(" ")}`,
    );
    screen.shown(await this.#run(args));
  }

  /** Types a kubectl command about other namespaces, or none, and shows it and its answer. */
  async typeAnywhere(args: readonly string[], input?: string): Promise<string> {
    screen.typed(`kubectl --context ${this.context} ${args.map(quoted).join(" ")}`);
    const answer = await this.#kubectl(args, input);
    screen.shown(answer);
    return answer;
  }

  /** The same where the answer has a line for each of many objects: shows how many. */
  async typeCounted(...args: readonly string[]): Promise<void> {
    screen.typed(`kubectl --context ${this.context} ${args.map(quoted).join(" ")}`);
    const lines = (await this.#kubectl(args)).trimEnd().split("\n");
    screen.note(`${lines.length} objects`);
  }

  /** Asks without showing anything: for what the demo has to know. */
  async ask(args: readonly string[], input?: string): Promise<string> {
    return this.#kubectl(args, input);
  }

  /** Types a command that the API server refuses, and shows what it says. @throws when it is not refused */
  async typeRefused(...args: readonly string[]): Promise<string> {
    screen.typed(
      `kubectl --context ${this.context} -n ${this.namespace} ${args.map(quoted).join(" ")}`,
    );
    const said = await this.#run(args).then(
      () => undefined,
      (error: unknown) => String(error).replace(/^.* ended with code \d+: /s, ""),
    );
    if (said === undefined) throw new Error("it was not refused");
    screen.shown(said);
    return said;
  }

  /** The same with a manifest that comes by stdin; `what` says in a few words what is in it. */
  async typeApply(what: string, manifest: object): Promise<void> {
    screen.typed(`kubectl --context ${this.context} -n ${this.namespace} apply -f -   # ${what}`);
    screen.shown(await this.#run(["apply", "-f", "-"], JSON.stringify(manifest)));
  }

  async close(): Promise<void> {
    const { services, slices, events, pods } = this.sees;
    const views = [services, slices, events, pods];
    await Promise.all([...views.map(async (view) => view.close()), this.cluster.close()]);
  }

  async #run(args: readonly string[], input?: string): Promise<string> {
    return this.#kubectl(["-n", this.namespace, ...args], input);
  }

  async #kubectl(args: readonly string[], input?: string): Promise<string> {
    const { path, kubeconfig, cacheDir } = this.kubectl;
    const where = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${cacheDir}`];
    const options = input === undefined ? {} : { input };
    return runCommand(path, [...where, "--context", this.context, ...args], options);
  }
}

/** As a shell needs it. */
function quoted(arg: string): string {
  return /^[-\w./:=,@]+$/.test(arg) ? arg : `'${arg}'`;
}
