/**
 * Everything that can happen to the world from outside, each described by three
 * small numbers, so that a history is data: it can be printed, replayed and shrunk.
 */
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import type { SimulatedFleet } from "../harness/simulated-fleet.js";
import { DESTINATION_OPERATIONS } from "./destination-operations.js";
import { FAULT_OPERATIONS } from "./fault-operations.js";
import { RESTORE_OPERATIONS } from "./restore-operations.js";
import { SOURCE_OPERATIONS } from "./source-operations.js";

export interface Scene {
  readonly world: SimulatedWorld;
  readonly fleet: SimulatedFleet;
}

/** Says what it did, or that there was nothing to do it to. The numbers are taken modulo whatever there is. */
type Act = (scene: Scene, a: number, b: number, c: number) => string;

export interface OperationKind {
  /** How often it comes, relative to the others. */
  readonly weight: number;
  readonly act: Act;
}

export interface Operation {
  /** Virtual ms after the one before. */
  readonly afterMs: number;
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** What happens in an ordinary history. */
export const OPERATIONS: Readonly<Record<string, OperationKind>> = {
  ...SOURCE_OPERATIONS,
  ...DESTINATION_OPERATIONS,
  ...FAULT_OPERATIONS,
};

/** What happens where etcd may be restored from an older snapshot. */
export const OPERATIONS_WITH_RESTORES: Readonly<Record<string, OperationKind>> = {
  ...OPERATIONS,
  ...RESTORE_OPERATIONS,
};

export function perform(scene: Scene, operation: Operation): string {
  const { kind, a, b, c } = operation;
  const found = OPERATIONS_WITH_RESTORES[kind];
  if (found === undefined) throw new TypeError(`no operation ${kind}`);
  return `${kind}: ${found.act(scene, a, b, c)}`;
}
