import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import { Cluster } from "../harness/cluster.js";
import { type FaultProxy, startFaultProxy } from "../harness/fault-proxy.js";
import { type HttpFaultProxy, startHttpFaultProxy } from "../harness/http-fault-proxy.js";
import { AdmissionLane } from "./admission-lane.js";
import { AuditLog } from "./audit-log.js";
import { Lane } from "./lane.js";
import type { LaneOptions } from "./lane-options.js";
import { sharedPlanes } from "./planes.js";

/** `npm run test:fault`: faults last as long as in life; else as long as it takes to see the same thing. */
export const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";

/** How long what is down stays down, ms. */
export const OUTAGE_MS = FULL ? 60_000 : 8_000;

/** What a bed has to know of a cluster that it does not break. */
export type Plane = Pick<ClusterConnection, "server" | "ca" | "token">;

/**
 * A source and a destination as one test file uses them, with namespaces of its own in both. What it breaks is the way there. The
 * source runs no controllers: its slices are written by hand, so that a test alone decides what happens there and when.
 */
export class Bed<Reached extends ClusterConnection = ClusterConnection> {
  readonly from: Cluster;
  readonly to: Cluster;
  /** Of the destination. */
  readonly audit: AuditLog;
  readonly #id = randomBytes(4).toString("hex");
  readonly #folder = mkdtempSync(join(tmpdir(), "svc-ferry-fault-"));
  readonly #lanes: Lane[] = [];
  /** By `tidy`, after the lanes. */
  readonly #closed: { close(): Promise<void> }[] = [];

  /** Made by startBed and startOwnBed. */
  constructor(
    readonly source: Reached,
    readonly destination: Reached,
    auditLogPath: string,
  ) {
    this.from = new Cluster(source);
    this.to = new Cluster(destination);
    this.audit = new AuditLog(auditLogPath);
  }

  /** Namespaces of that name in both clusters, which no other file has, and a Lease of its own: tests do not meet. */
  async lane(name: string, options: Partial<LaneOptions> = {}): Promise<Lane> {
    const { source, destination, from, to, audit } = this;
    const folder = mkdtempSync(join(this.#folder, `${name}-`));
    const parts = { bed: this.#id, from, to, audit, source, destination };
    const lane = new Lane(name, folder, { ...parts, ...options });
    this.#lanes.push(lane);
    await lane.prepare();
    return lane;
  }

  /** As `lane`, with admission: replicas are started and asked through what this returns. */
  async admissionLane(name: string, options: Partial<LaneOptions> = {}): Promise<AdmissionLane> {
    return this.#closing(await AdmissionLane.open(await this.lane(name, options)));
  }

  async tcpProxy(to: Pick<Plane, "server">): Promise<FaultProxy> {
    return this.#closing(await startFaultProxy(addressOf(to)));
  }

  async httpProxy(to: Pick<Plane, "server" | "ca">): Promise<HttpFaultProxy> {
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
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #closing<Closed extends { close(): Promise<void> }>(one: Closed): Closed {
    this.#closed.push(one);
    return one;
  }
}

/** Between clusters that other files use too: what may be broken is the way there. */
export async function startBed(): Promise<Bed> {
  const [source, destination] = await sharedPlanes();
  return new Bed(source, destination, destination.auditLogPath ?? "");
}

/** Where a TCP proxy has to lead. */
export function addressOf({ server }: Pick<Plane, "server">): {
  readonly host: string;
  readonly port: number;
} {
  const { hostname, port } = new URL(server);
  return { host: hostname, port: Number(port) };
}
