/**
 * The errors of an installation's attempts (docs/codes.md, FERRY-…), each by breaking exactly that thing between a real leader and real
 * API servers, and how `svc-ferry explain` finds it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ErrorCode } from "../../../src/ports/errors.js";
import type { ExplainReport, Finding } from "../../../src/ports/explain-report.js";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import type { HttpAction, ProxiedRequest } from "../../harness/http-action.js";
import { type HttpFaultProxy, startHttpFaultProxy } from "../../harness/http-fault-proxy.js";
import { service, slice } from "../../harness/manifests.js";
import { runTool, toolFlags } from "../../harness/tool-run.js";

let bed: FerryBed;
let ferry: FerryRun;
/** The leader's ways to its clusters. */
const ways: Partial<Record<"source" | "destination", HttpFaultProxy>> = {};
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-breakages-"));
  bed = await openBed();
  const { source, destination } = inject("controlPlanes");
  ways.source = await startHttpFaultProxy(source);
  ways.destination = await startHttpFaultProxy(destination);
  const kubeconfig = join(folder, "leader.yaml");
  writeKubeconfig(kubeconfig, [
    { ...(await bed.access("source")), server: ways.source.url, ca: ways.source.ca },
    { ...(await bed.access("destination")), server: ways.destination.url, ca: ways.destination.ca },
  ]);
  ferry = await bed.run({ flags: { kubeconfig } });
});
afterAll(async () => {
  await bed.close();
  await Promise.all(Object.values(ways).map(async (way) => way.close()));
  rmSync(folder, { recursive: true });
});

function on(side: "source" | "destination"): HttpFaultProxy {
  const way = ways[side];
  if (way === undefined) throw new Error("nothing is started yet");
  return way;
}

/** Who explains has a way of its own, unless it is the one that is broken. */
async function explain(name: string, kubeconfig = bed.kubeconfigPath): Promise<Finding> {
  const flags = toolFlags({
    ...bed.toolSettings,
    kubeconfig,
    "status-url": `${await ferry.url()}/status`,
    output: "json",
  });
  const { out, err } = await runTool(["explain", ...flags, name]);
  const [finding] = out === "" ? [] : (JSON.parse(out) as ExplainReport).findings;
  if (finding === undefined) throw new Error(`nothing was found: ${err}`);
  return finding;
}

const TOO_MANY: HttpAction = { kind: "respond", status: 429, headers: { "retry-after": "1" } };

const isCreation = ({ method, path }: ProxiedRequest): boolean =>
  method === "POST" && path.endsWith("/services");

/** A page of a list, as caches read it; who wants evidence for one Service asks for less. */
const isPage =
  (plural: string) =>
  ({ method, path, query, watch }: ProxiedRequest): boolean =>
    method === "GET" && !watch && path.endsWith(`/${plural}`) && query.get("limit") === "500";

/** Passes when something else has happened. */
function behind(first: Promise<unknown>): HttpAction {
  let isOver = false;
  void first.finally(() => (isOver = true));
  const wait = (): HttpAction => ({
    kind: "delay",
    delayMs: 10,
    get next() {
      return isOver ? ({ kind: "pass" } as const) : wait();
    },
  });
  return wait();
}

/** What API servers say of a version that etcd has compacted meanwhile. */
const EXPIRED = { kind: "Status", status: "Failure", code: 410, reason: "Expired" };

/** What this one says when it is asked for a version that it has not heard of yet. */
async function tooLarge(): Promise<object> {
  const query = "resourceVersion=99999999999&resourceVersionMatch=NotOlderThan";
  const { body } = await bed.source.request("GET", `/api/v1/services?${query}`);
  return body as object;
}

describe("svc-ferry explain finds the error that the leader runs into", () => {
  it.each<[ErrorCode, string, HttpAction]>([
    ["FERRY-K003", "is asked to slow down", TOO_MANY],
    ["FERRY-K007", "gets the page of a proxy", { kind: "respond", status: 200, body: "<html>" }],
    ["FERRY-K011", "meets a proxy that lets no POST pass", { kind: "respond", status: 405 }],
  ])("%s, when it %s", async (code, _, answer) => {
    const name = code.toLowerCase();
    on("destination").setRule((request) => (isCreation(request) ? answer : undefined));
    await bed.src.apply(service(bed.src.namespace, name));
    await ferry.untilState(`${bed.src.namespace}/${name}`, "retrying", code);

    const finding = await explain(name);
    on("destination").setRule();

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code } });
  });

  it("FERRY-R001, when somebody else writes the mirror all the time", async () => {
    const code = "FERRY-R001";
    const [name, key] = ["contested", `${bed.src.namespace}/contested`];
    await bed.src.apply(service(bed.src.namespace, name));
    await ferry.untilState(key, "synced");
    on("destination").setRule(({ method, path }) => {
      if (method !== "PATCH" || !path.endsWith(`/services/${name}`)) return undefined;
      const annotations = { "example.com/at": String(performance.now()) };
      return behind(bed.dst.patch("Service", name, { metadata: { annotations } }));
    });
    await bed.src.patch("Service", name, { spec: { ports: [{ port: 81 }] } });
    await ferry.untilState(key, "retrying", code);

    const finding = await explain(name);
    on("destination").setRule();

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code } });
  });

  it("FERRY-R002, when the source's list has lost slices that are there", async () => {
    const code = "FERRY-R002";
    const [name, key] = ["lost", `${bed.src.namespace}/lost`];
    await bed.src.apply(slice(bed.src.namespace, name, ["10.1.0.1"]));
    await bed.src.apply(service(bed.src.namespace, name));
    await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
    const isLost = isPage("endpointslices");
    on("source").setRule((request) => (isLost(request) ? { kind: "empty-list" } : undefined));
    // What follows is a list.
    const event = JSON.stringify({ type: "ERROR", object: EXPIRED });
    on("source").injectLine(event, ({ path }) => path.endsWith("/endpointslices"));
    await ferry.untilState(key, "retrying", code);

    const finding = await explain(name);
    on("source").setRule();

    expect(finding).toMatchObject({ verdict: "not-synced", reason: { code } });
    expect(await bed.dst.slices(name)).toHaveLength(1);
  });
});

describe("svc-ferry explain finds the error that it runs into itself", () => {
  it.each<[ErrorCode, string, () => Promise<object>]>([
    ["FERRY-K008", "a list whose version was compacted", async () => EXPIRED],
    ["FERRY-K009", "a list of an API server that is behind", tooLarge],
  ])("%s: %s", async (code, _, said) => {
    const body = await said();
    const status = Number((body as { readonly code?: number }).code);
    const isAsked = isPage("services");
    await bed.src.apply(service(bed.src.namespace, "known"));
    on("destination").setRule((request) =>
      isAsked(request) ? { kind: "respond", status, body } : undefined,
    );

    const finding = await explain("known", join(folder, "leader.yaml"));
    on("destination").setRule();

    expect(finding).toMatchObject({ verdict: "unknown", reason: { code } });
  });
});
