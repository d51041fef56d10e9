import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";

type Planes = readonly [source: ControlPlane, destination: ControlPlane];

let shared: Promise<Planes> | undefined;

/**
 * The pair of a worker, which takes one file after the other: for those that break only the way to it. It ends with the worker's
 * process.
 */
export async function sharedPlanes(): Promise<Planes> {
  shared ??= startPlanes();
  return shared;
}

/** A source without controllers, and a destination that writes down what it is asked to write. */
export async function startPlanes(): Promise<Planes> {
  return Promise.all([
    startSource("source"),
    startControlPlane({ name: "destination", serviceCidr: "10.97.0.0/16", auditPolicy: true }),
  ]);
}

/** A source as the pair has one: for tests that need a second. */
export async function startSource(name: string): Promise<ControlPlane> {
  return startControlPlane({ name, serviceCidr: "10.96.0.0/16", controllerManager: false });
}
