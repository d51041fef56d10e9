import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments, stringify } from "yaml";
import type { ControlPlane } from "../controlplane/control-plane.js";
import type { Manifest } from "./manifest.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What kubectl makes of a folder with a kustomization, in the order in which it applies it. */
export async function render(
  controlPlane: Pick<ControlPlane, "kubectl">,
  folder: string,
): Promise<readonly Manifest[]> {
  return objectsOf(await controlPlane.kubectl(["kustomize", join(ROOT, folder)]));
}

/** What it makes of an overlay as users have one: manifests/source with components. */
export async function renderWith(
  controlPlane: Pick<ControlPlane, "kubectl">,
  ...components: readonly string[]
): Promise<readonly Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-overlay-"));
  // kustomize takes no absolute paths.
  const here = (path: string): string => relative(folder, join(ROOT, "manifests", path));
  try {
    const overlay = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: [here("source")],
      components: components.map((name) => here(`components/${name}`)),
    };
    writeFileSync(join(folder, "kustomization.yaml"), stringify(overlay));
    return objectsOf(await controlPlane.kubectl(["kustomize", folder]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Objects of a stream of YAML documents; empty ones are left out. */
export function objectsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
}

/** For `kubectl apply -f -`. */
export function textOfObjects(objects: readonly Manifest[]): string {
  return objects.map((object) => stringify(object)).join("---\n");
}
