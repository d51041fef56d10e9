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
  return renderOverlay(controlPlane, (here) => ({
    resources: [here("source")],
    components: components.map((name) => here(`components/${name}`)),
  }));
}

/** The rights in one more namespace, as docs/install.md has them made. */
export async function renderMapped(
  controlPlane: Pick<ControlPlane, "kubectl">,
  side: "source" | "destination",
  namespace: string,
): Promise<readonly Manifest[]> {
  return renderOverlay(controlPlane, (here) => ({
    namespace,
    resources: [here(`${side}/mapped-namespace`)],
  }));
}

/** @param overlay gets where a folder of manifests/ is, as seen from the overlay's */
async function renderOverlay(
  controlPlane: Pick<ControlPlane, "kubectl">,
  overlay: (here: (path: string) => string) => object,
): Promise<readonly Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-overlay-"));
  // kustomize takes no absolute paths.
  const here = (path: string): string => relative(folder, join(ROOT, "manifests", path));
  try {
    const apiVersion = "kustomize.config.k8s.io/v1beta1";
    const content = { apiVersion, kind: "Kustomization", ...overlay(here) };
    writeFileSync(join(folder, "kustomization.yaml"), stringify(content));
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
