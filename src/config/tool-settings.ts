/** What the operators' tools take of the settings of `run`: enough to find the same clusters, routes and objects. */
import type { Setting } from "./setting.js";
import { SETTINGS } from "./settings.js";

export const TOOL_SETTINGS: readonly Setting<unknown>[] = [
  SETTINGS.kubeconfig,
  SETTINGS.srcContext,
  SETTINGS.dstContext,
  SETTINGS.inCluster,
  SETTINGS.srcNs,
  SETTINGS.dstNs,
  SETTINGS.syncLabel,
  SETTINGS.markLabel,
  SETTINGS.link,
  SETTINGS.leaderElectionNamespace,
  SETTINGS.leaderElectionName,
  SETTINGS.createNamespace,
  SETTINGS.endpoints,
  SETTINGS.adopt,
  SETTINGS.webhook,
  SETTINGS.webhookConfiguration,
  SETTINGS.certsMode,
  SETTINGS.certsDir,
];
