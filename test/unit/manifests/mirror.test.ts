import { describe, expect, it } from "vitest";
import { runProgram } from "../../../src/cli/program.js";
import type { MirrorConfig } from "../../../src/config/mirror-config.js";
import { loadRules } from "../../../sidecar/rules/load.js";
import { NO_COMMANDS } from "../../fixtures/no-commands.js";
import { installedObject } from "../../fixtures/installed-objects.js";
import { textOf } from "../../fixtures/source-text.js";

/** The mirror's container, as far as tests look at it. */
interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly valueFrom: {
      readonly configMapKeyRef: { readonly name: string; readonly key: string };
    };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Pod {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

function podOf(folder: string, deployment: string): Pod {
  const { spec } = installedObject(folder, "Deployment", deployment) as unknown as {
    readonly spec: { readonly template: { readonly spec: Pod } };
  };
  return spec.template.spec;
}

/** As the kubelet starts it: variables are filled in from the ConfigMap beside it. */
function argsOf(folder: string, { args, env }: Container): readonly string[] {
  const values = new Map(
    env.map(({ name, valueFrom: { configMapKeyRef: from } }) => {
      const data = installedObject(folder, "ConfigMap", from.name)["data"];
      return [name, (data as Readonly<Record<string, string>>)[from.key] ?? ""];
    }),
  );
  return args.map((arg) => arg.replace(/\$\((\w+)\)/g, (whole, name) => values.get(name) ?? whole));
}

interface Started {
  readonly code: number;
  readonly stderr: string;
  readonly config: MirrorConfig | undefined;
  readonly warnings: readonly string[];
}

/** Through the command line; only what is mounted can be read. */
async function start(args: readonly string[], mounts: readonly string[]): Promise<Started> {
  let started: Pick<Started, "config" | "warnings"> = { config: undefined, warnings: [] };
  let stderr = "";
  const run = async (config: MirrorConfig, warnings: readonly string[]): Promise<number> => {
    started = { config, warnings };
    return 0;
  };
  const terminal = {
    stdout: () => {},
    stderr: (text: string) => void (stderr += text),
    env: { HOSTNAME: "pod" },
    readFile: (path: string): string => {
      if (!mounts.some((mount) => path.startsWith(`${mount}/`))) throw new Error("no such file");
      return "";
    },
  };
  const commands = { ...NO_COMMANDS, mirror: async () => ({ ...ABSENT, run }) };
  const code = await runProgram({ version: "1.2.3", terminal, commands }, args);
  return { code, stderr, ...started };
}

const absent = async (): Promise<never> => Promise.reject(new Error("not in this test"));
const ABSENT = {
  plan: absent,
  doctor: absent,
  verify: absent,
  drain: absent,
  promote: absent,
  resume: absent,
  leave: absent,
  releaseBrake: absent,
};

describe.each([
  ["mirror-sidecar", "svc-ferry"],
  ["mirror-deployment", "svc-ferry-mirror"],
])("the component %s", (component, deployment) => {
  const folder = `manifests/components/${component}`;
  const pod = podOf(folder, deployment);
  const found = pod.containers.find(({ name }) => name === "mirror");
  if (found === undefined) throw new Error(`${folder} has no container "mirror"`);
  const container = found;
  const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);

  it("starts the mirror with settings that it knows, and with files that are mounted", async () => {
    const { code, stderr, config, warnings } = await start(argsOf(folder, container), mounts);

    expect({ code, stderr, warnings }).toEqual({ code: 0, stderr: "", warnings: [] });
    expect(config).toMatchObject({
      mode: "active-standby",
      rules: { path: "/etc/mirror-rules/rules.yaml" },
      source: { endpoints: ["https://etcd.source.example:2379"] },
      destination: { endpoints: ["https://etcd.destination.example:2379"] },
    });
  });

  it("mounts volumes that it has, each of them", () => {
    expect(container.volumeMounts.map(({ name }) => name)).toEqual(
      pod.volumes.map(({ name }) => name),
    );
  });

  it("opens the port that the mirror listens on, and asks a path that it has", async () => {
    const { config } = await start(argsOf(folder, container), mounts);
    const { path, port } = container.livenessProbe.httpGet;

    expect(container.ports).toEqual([
      { name: port, containerPort: config?.http.port, protocol: "TCP" },
    ]);
    expect(textOf("src/telemetry/mirror-app.ts")).toContain(`app.get("${path}"`);
  });

  it("has rules that the mirror takes without a word", () => {
    const loaded = loadRules(textOf(`${folder}/rules.yaml`), { destinationApi: false });

    expect(loaded).toMatchObject({ kind: "ok", warnings: [] });
  });
});
