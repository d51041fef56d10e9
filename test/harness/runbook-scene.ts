/** A pair of etcds as the tests of the mirror's runbook find it, and words for what happens to its objects. */
import type { TestContext } from "vitest";
import type { TxnOp } from "../../sidecar/etcd/etcd.js";
import { LABELLED } from "../fixtures/mirror-bed.js";
import { type Held, MirrorCli, type Side } from "./mirror-cli.js";
import { put } from "./mirror-pair.js";
import { waitFor } from "./wait-for.js";

const MIRRORED = { mirror: "yes" };
/** More than ten, or the brake would not look at them. */
export const COUNT = 20;

export function object(name: string, value: string): TxnOp {
  const metadata = { name, namespace: "shop", uid: `uid-${name}`, labels: MIRRORED };
  const text = JSON.stringify({ kind: "ConfigMap", apiVersion: "v1", metadata, data: { value } });
  return { kind: "put", key: keyOf(name), value: Buffer.from(`${text}\n`) };
}

export function remove(...names: readonly string[]): readonly TxnOp[] {
  return names.map((name) => ({ kind: "delete", key: keyOf(name) }));
}

export function pathOf(name: string): string {
  return `configmaps/shop/${name}`;
}

export function keyOf(name: string): string {
  return `/registry/${pathOf(name)}`;
}

/** Path → what the object says, of everything that the rules name. */
export async function mirroredIn(side: Side): Promise<Readonly<Record<string, unknown>>> {
  const objects = [...(await side.objects())].filter(
    ([path]) => path === "namespaces/shop" || path.startsWith("configmaps/shop/"),
  );
  return Object.fromEntries(
    objects.map(
      ([
        path,
        {
          object: { metadata, data },
        },
      ]) => [path, { uid: metadata.uid, data }],
    ),
  );
}

export async function arrives(side: Side, name: string, value: string): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const held = (await side.objects()).get(pathOf(name));
    return JSON.stringify(held?.object.data) === JSON.stringify({ value });
  };
  await waitFor(isThere, { what: `${name} to be ${value}` });
}

/** A has what the rules want, B what is its own. */
export class RunbookScene {
  readonly a: Side;
  readonly b: Side;
  /** Flags of the mirror from A to B. */
  readonly both: readonly [source: string, destination: string];

  private constructor(
    readonly cli: MirrorCli,
    /** What B had before any mirror. */
    readonly native: ReadonlyMap<string, Held>,
  ) {
    this.a = cli.a;
    this.b = cli.b;
    this.both = [cli.a.asSource, cli.b.asDestination];
  }

  static async start({ onTestFinished }: TestContext): Promise<RunbookScene> {
    const cli = await MirrorCli.start(LABELLED);
    onTestFinished(() => cli.stop(), 30_000);
    const { a, b } = cli;
    await a.write(put("namespaces/shop", { labels: MIRRORED }), put("namespaces/left-out"));
    await a.write(...Array.from({ length: COUNT }, (_, at) => object(`c${at}`, "first")));
    await b.write(put("namespaces/own"), put("configmaps/own/native", { data: { value: "own" } }));
    return new RunbookScene(cli, await b.objects());
  }

  /** Each key that was B's own, by the write that made it. */
  async nativeNow(): Promise<ReadonlyMap<string, Held>> {
    const now = await this.b.objects();
    return new Map([...now].filter(([path]) => this.native.has(path)));
  }
}
