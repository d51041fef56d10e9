import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { Cluster } from "../harness/cluster.js";
import { type FaultProxy, startFaultProxy } from "../harness/fault-proxy.js";
import { type HttpFaultProxy, startHttpFaultProxy } from "../harness/http-fault-proxy.js";
import { AdmissionLane } from "./admission-lane.js";
import { AuditLog } from "./audit-log.js";
import { Lane } from "./lane.js";
import type { LaneOptions } from "./lane-options.js";

/** `npm run test:fault`: faults last as long as in life; else as long as it takes to see the same thing. */
export const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";

/** How long what is down stays down, ms. */
export const OUTAGE_MS = FULL ? 60_000 : 8_000;

/**
 * A source and a destination of a test file's own, which it may break. The source runs no controllers: its slices are
 * written by hand, so that a test alone decides what happens there and when.
 */
export class Bed {
  readonly from: Cluster;
  readonly to: Cluster;
  /** Of the destination. */
  readonly audit: AuditLog;
  readonly #folder = mkdtempSync(join(tmpdir(), "svc-ferry-fault-"));
  readonly #lanes: Lane[] = [];
  /** By `tidy`, after the lanes. */
  readonly #closed: { close(): Promise<void> }[] = [];

  /** Made by startBed. */
  constructor(
    readonly source: ControlPlane,
    readonly destination: ControlPlane,
  ) {
    this.from = new Cluster(source.connection());
    this.to = new Cluster(destination.connection());
    this.audit = new AuditLog(destination.auditLogPath ?? "");
  }

  /** Namespaces of that name in both clusters and a Lease of its own: tests of one file do not meet. */
  async lane(name: string, options: Partial<LaneOptions> = {}): Promise<Lane> {
    const { source, destination, from, to, audit } = this;
    const folder = mkdtempSync(join(this.#folder, `${name}-`));
    const lane = new Lane(name, folder, { from, to, audit, source, destination, ...options });
    this.#lanes.push(lane);
    await lane.prepare();
    return lane;
  }

  /** As `lane`, with admission: replicas are started and asked through what this returns. */
  async admissionLane(name: string, options: Partial<LaneOptions> = {}): Promise<AdmissionLane> {
    return this.#closing(await AdmissionLane.open(await this.lane(name, options)));
  }

  async tcpProxy(to: Pick<ControlPlane, "server">): Promise<FaultProxy> {
    return this.#closing(await startFaultProxy(addressOf(to)));
  }

  async httpProxy(to: Pick<ControlPlane, "server" | "ca">): Promise<HttpFaultProxy> {
    return this.#closing(await startHttpFaultProxy(to));
  }

  /** After each test: kills what it started. */
  async tidy(): Promise<void> {
    await Promise.all(this.#lanes.splice(0).map(async (lane) => lane.close()));
    await Promise.all(this.#closed.splice(0).map(async (one) => one.close()));
  }

  async stop(): Promise<void> {
    await this.tidy();
    await Promise.all([this.from.close(), this.to.close()]);
    await Promise.all([this.source.stop(), this.destination.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #closing<Closed extends { close(): Promise<void> }>(one: Closed): Closed {
    this.#closed.push(one);
    return one;
  }
}

export async function startBed(): Promise<Bed> {
  const [source, destination] = await Promise.all([
    startSource("source"),
    startControlPlane({
      name: "destination",
      serviceCidr: "10.97.0.0/16",
      auditPolicy: true,
    }),
  ]);
  return new Bed(source, destination);
}

/** A source as the bed has one: for tests that need a second. */
export async function startSource(name: string): Promise<ControlPlane> {
  return startControlPlane({ name, serviceCidr: "10.96.0.0/16", controllerManager: false });
}

/** Where a TCP proxy has to lead. */
export function addressOf({ server }: Pick<ControlPlane, "server">): {
  readonly host: string;
  readonly port: number;
} {
  const { hostname, port } = new URL(server);
  return { host: hostname, port: Number(port) };
}
