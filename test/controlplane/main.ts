import { parseArgs } from "node:util";
import { type ControlPlane, startControlPlane } from "./control-plane.js";
import { writeKubeconfig } from "./kubeconfig.js";

/**
 * Starts control planes for a person: `tsx test/controlplane/main.ts --keep [--name a --name b] [--kubeconfig FILE]`.
 * One kubeconfig holds a context per name. Without --keep it only proves that they come up.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      keep: { type: "boolean", default: false },
      name: { type: "string", multiple: true, default: ["source", "destination"] },
      kubeconfig: { type: "string" },
      audit: { type: "boolean", default: false },
    },
  });
  const begin = performance.now();
  const interrupted = untilInterrupted();
  const started = values.name.map(async (name) =>
    startControlPlane({ name, auditPolicy: values.audit }),
  );
  const controlPlanes = await Promise.all(started);
  try {
    const path = values.kubeconfig ?? controlPlanes[0]?.kubeconfigPath ?? "";
    const entries = controlPlanes.map((controlPlane) => ({
      context: controlPlane.context,
      controlPlane,
    }));
    writeKubeconfig(path, entries);
    say(`ready after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    for (const controlPlane of controlPlanes) say(describe(controlPlane));
    say(`export KUBECONFIG=${path}`);
    if (values.keep) {
      say("running until Ctrl-C");
      await interrupted;
    }
  } finally {
    await Promise.all(controlPlanes.map(async (controlPlane) => controlPlane.stop()));
  }
}

async function untilInterrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

function describe({ context, server, etcd, dataDir, auditLogPath }: ControlPlane): string {
  const audit = auditLogPath === undefined ? "" : `  audit ${auditLogPath}`;
  return `context ${context}  API ${server}  etcd ${etcd}  logs ${dataDir}${audit}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
