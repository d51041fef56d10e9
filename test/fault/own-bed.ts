import type { ControlPlane } from "../controlplane/control-plane.js";
import { Bed } from "./bed.js";
import { startPlanes } from "./planes.js";

/** A bed whose clusters nobody else uses: their servers may be broken too. */
export class OwnBed extends Bed<ControlPlane> {
  override async stop(): Promise<void> {
    await super.stop();
    await Promise.all([this.source.stop(), this.destination.stop()]);
  }
}

export async function startOwnBed(): Promise<OwnBed> {
  const [source, destination] = await startPlanes();
  return new OwnBed(source, destination, destination.auditLogPath ?? "");
}
