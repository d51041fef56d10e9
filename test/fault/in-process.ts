import type { DependencyContainer } from "tsyringe";
import { onTestFailed } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { compose } from "../../src/compose.js";
import { KubeClusters } from "../../src/kube-clusters.js";
import { Clusters } from "../../src/ports/clusters.js";
import type { KubeApi } from "../../src/ports/kube-api.js";
import { NO_COMMANDS } from "../fixtures/no-commands.js";
import { SHOWN_LINES } from "./replica.js";

/**
 * svc-ferry inside the test's own process, with watches that count as broken after `stallMs` without a byte: in life that
 * takes 90 s.
 *
 * @returns stops it; resolves with its exit code
 */
export function startInProcess(args: readonly string[], stallMs: number): () => Promise<number> {
  const stop = new AbortController();
  const lines: string[] = [];
  const sink = { write: (line: string): boolean => lines.push(line) > 0 };
  onTestFailed(() => void process.stderr.write(lines.slice(-SHOWN_LINES).join("")));
  const impatient = (root: DependencyContainer): void => {
    root.register<Clusters>(Clusters, {
      useFactory: (container) => impatientClusters(container.resolve(KubeClusters), stallMs),
    });
  };
  const exit = runProgram(
    {
      version: "test",
      terminal: { env: {}, readFile: () => "", stdout: sink.write, stderr: sink.write },
      commands: {
        ...NO_COMMANDS,
        run: async ({ config, warnings }) =>
          compose(config, sink, impatient).run(stop.signal, warnings),
      },
    },
    args,
  );
  return async () => {
    stop.abort();
    return exit;
  };
}

function impatientClusters(clusters: Clusters, stallMs: number): Clusters {
  return {
    open: async (...args) => impatientApi(await clusters.open(...args), stallMs),
    close: async () => clusters.close(),
  };
}

function impatientApi(api: KubeApi, stallMs: number): KubeApi {
  const watch: KubeApi["watch"] = async (resource, options, onEvent, signal) =>
    api.watch(resource, { ...options, stallMs }, onEvent, signal);
  return {
    cluster: api.cluster,
    get connections() {
      return api.connections;
    },
    list: async (...args) => api.list(...args),
    watch,
    get: async (...args) => api.get(...args),
    create: async (...args) => api.create(...args),
    patch: async (...args) => api.patch(...args),
    replace: async (...args) => api.replace(...args),
    delete: async (...args) => api.delete(...args),
  };
}
