import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startControlPlane } from "../controlplane/control-plane.js";
import { type ClusterConnection, writeKubeconfig } from "../controlplane/kubeconfig.js";
import { renderShippedRights, type ShippedRights } from "./shipped-rights.js";

/** The pair that all integration tests share; each test works in namespaces of its own. */
export interface SharedControlPlanes {
  /** Both contexts in one file; the source's is current. */
  readonly kubeconfigPath: string;
  /** Context "source". */
  readonly source: ClusterConnection;
  /** Context "destination"; its Service range differs from the source's. */
  readonly destination: ClusterConnection;
  /** Every write that either of them answered, and all that ServiceAccounts asked; see audit-trail.ts. */
  readonly auditLogPaths: { readonly source: string; readonly destination: string };
  /** A folder for audit logs of other control planes, `source-….jsonl` and `destination-….jsonl`, that are to count too. */
  readonly keptLogs: string;
  /** What installations between them are granted. */
  readonly shippedRights: ShippedRights;
}

/** What the integration tests of a run leave for those behind them. */
interface IntegrationRun {
  readonly controlPlanes: Pick<SharedControlPlanes, "auditLogPaths" | "keptLogs">;
  /** Every integration test is part of the run, not only those of some files or names. */
  readonly isWhole: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    controlPlanes: SharedControlPlanes;
    integrationRun: IntegrationRun;
  }
}

/**
 * Vitest calls this once for a run (`globalSetup`); tests then say `inject("controlPlanes")`. What it returns is called
 * at the end of the run.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { controlPlanes, teardown } = await startSharedControlPlanes();
  project.provide("controlPlanes", controlPlanes);
  project.vitest.provide("integrationRun", { controlPlanes, isWhole: await isWhole(project) });
  return teardown;
}

async function isWhole(project: TestProject): Promise<boolean> {
  const { testFiles } = await project.globTestFiles();
  const running = new Set(project.vitest.state.getPaths());
  return (
    project.config.testNamePattern === undefined && testFiles.every((path) => running.has(path))
  );
}

/** @throws AggregateError when one of them does not start; none is left then */
export async function startSharedControlPlanes(): Promise<{
  readonly controlPlanes: SharedControlPlanes;
  readonly teardown: () => Promise<void>;
}> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-shared-"));
  const starts = await Promise.allSettled([
    startControlPlane({ name: "source", serviceCidr: "10.96.0.0/16", auditPolicy: true }),
    startControlPlane({ name: "destination", serviceCidr: "10.97.0.0/16", auditPolicy: true }),
  ]);
  const running = starts.filter((start) => start.status === "fulfilled").map(({ value }) => value);
  const teardown = async (): Promise<void> => {
    await Promise.all(running.map(async (controlPlane) => controlPlane.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  const [source, destination] = running;
  if (source === undefined || destination === undefined) {
    await teardown();
    throw new AggregateError(
      starts.filter((start) => start.status === "rejected").map(({ reason }) => reason),
      "the shared control planes did not start",
    );
  }
  const kubeconfigPath = join(folder, "kubeconfig.yaml");
  writeKubeconfig(
    kubeconfigPath,
    [source, destination].map((one) => ({ context: one.context, controlPlane: one })),
  );
  const controlPlanes = {
    kubeconfigPath,
    source: source.connection(),
    destination: destination.connection(),
    auditLogPaths: {
      source: source.auditLogPath ?? "",
      destination: destination.auditLogPath ?? "",
    },
    keptLogs: folder,
    shippedRights: await renderShippedRights(source),
  };
  return { controlPlanes, teardown };
}
