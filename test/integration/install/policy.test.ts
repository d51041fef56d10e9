import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../../harness/cluster.js";
import { type InstalledBed, installBed } from "../../harness/installed-bed.js";
import { service, slice } from "../../harness/manifests.js";
import type { Stored } from "../../harness/manifest.js";
import { portsOf } from "../../harness/namespace-view.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: InstalledBed;
/** May do everything in the namespace that the built-in role `admin` allows, as owners of namespaces may. */
let owner: Cluster;

beforeAll(async () => {
  bed = await installBed({ policy: true });
  await untilInForce();
  await bed.run();
  await bed.src.apply(
    slice(bed.src.namespace, "web", ["10.1.0.1"]),
    service(bed.src.namespace, "web"),
  );
  await bed.dst.untilAddresses("web", ["10.1.0.1"]);
  owner = new Cluster({ ...bed.destination.connection(), token: await ownersToken() });
});
afterAll(async () => {
  await owner.close();
  await bed.close();
});

const REFUSAL =
  "this object mirrors default/web of another cluster, and svc-ferry would undo the change: change default/web there";
const SLICE_REFUSAL = "this object mirrors default/web-hand of another cluster";

/** A new policy takes effect after a moment: until an administrator cannot forge a mirror any more. */
async function untilInForce(): Promise<void> {
  const path = `/api/v1/namespaces/${bed.dst.namespace}/services?dryRun=All`;
  const forged = service(bed.dst.namespace, "probe", OURS);
  const isRefused = async (): Promise<boolean> =>
    (await bed.to.request("POST", path, forged)).status === 403;
  await waitFor(isRefused, { what: "the policy to be in force" });
}

const OURS = { labels: { "svc-ferry.io/link": "forged" } };

async function ownersToken(): Promise<string> {
  const { namespace } = bed.dst;
  const create = async (...args: readonly string[]): Promise<string> =>
    bed.destination.kubectl(["-n", namespace, "create", ...args]);
  await create("serviceaccount", "owner");
  const account = `--serviceaccount=${namespace}:owner`;
  await create("rolebinding", "owner", "--clusterrole=admin", account);
  return (await create("token", "owner")).trim();
}

describe("the policy over mirrors", () => {
  it("has no expression that the API server finds fault with", async () => {
    const read = async (): Promise<Stored | undefined | false> => {
      const policy = await bed.to.get(
        "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
        undefined,
        "svc-ferry-mirrors",
      );
      return policy !== undefined && "typeChecking" in statusOf(policy) && policy;
    };

    const policy = await waitFor(read, { what: "the policy's type check" });

    expect(statusOf(policy)["typeChecking"]).toEqual({});
  });

  it("keeps an administrator from editing a mirror, and says where to change it", async () => {
    const edit = bed.dst.patch("Service", "web", { spec: { ports: [{ port: 999 }] } });

    await expect(edit).rejects.toThrow(/^403: /);
    await expect(edit).rejects.toThrow(REFUSAL);
    expect(portsOf(await bed.dst.service("web"))).toEqual([80]);
  });

  it.each(["Service", "Endpoints"])("keeps everybody from deleting a mirror's %s", async (kind) => {
    await expect(bed.dst.remove(kind, "web")).rejects.toThrow(REFUSAL);
  });

  it("keeps everybody from editing its slices", async () => {
    const [one] = await bed.dst.slices("web");

    const edit = bed.dst.patch("EndpointSlice", one?.metadata.name ?? "", { endpoints: [] });

    await expect(edit).rejects.toThrow(SLICE_REFUSAL);
  });

  it("keeps a mirror from being disowned by taking its label off", async () => {
    const edit = bed.dst.patch("Service", "web", {
      metadata: { labels: { "svc-ferry.io/link": null } },
    });

    await expect(edit).rejects.toThrow(REFUSAL);
  });

  it("keeps a stranger's object from passing as a mirror", async () => {
    const forged = bed.to.create(service(bed.dst.namespace, "forged", OURS));

    await expect(forged).rejects.toThrow(/^403: .*this object mirrors a Service of another/);
  });

  it("lets everybody do as he likes with what is no mirror", async () => {
    const { namespace } = bed.dst;

    await bed.to.create(service(namespace, "own", { labels: {} }));
    await bed.dst.patch("Service", "own", { spec: { ports: [{ port: 81 }] } });
    await bed.dst.remove("Service", "own");
  });

  it("lets svc-ferry change and delete its own", async () => {
    const { src, dst } = bed;
    await src.apply(slice(src.namespace, "own-1", ["10.1.0.7"]), service(src.namespace, "own-1"));
    await dst.untilAddresses("own-1", ["10.1.0.7"]);

    await src.patch("Service", "own-1", { spec: { ports: [{ port: 82 }] } });
    await dst.untilService("own-1", (mirror) => portsOf(mirror)[0] === 82);
    await src.remove("Service", "own-1");

    await dst.untilGone("Service", "own-1");
    await dst.untilGone("Endpoints", "own-1");
  });

  it("opens to whoever pauses the mirror and may unlock it", async () => {
    await bed.src.apply(service(bed.src.namespace, "opened"));
    await bed.dst.untilService("opened");

    await bed.dst.patch("Service", "opened", {
      metadata: { annotations: { "svc-ferry.io/paused": "true" } },
    });
    await bed.dst.patch("Service", "opened", { spec: { ports: [{ port: 999 }] } });

    expect(portsOf(await bed.dst.service("opened"))).toEqual([999]);
  });

  it("does not open to a namespace's owner, who lacks that verb", async () => {
    const edit = owner.patch("Service", bed.dst.namespace, "web", {
      metadata: { annotations: { "svc-ferry.io/paused": "true" } },
    });

    await expect(edit).rejects.toThrow(REFUSAL);
  });

  it("does not keep a namespace with mirrors from being deleted", async () => {
    const { dst, to } = bed;
    await to.createNamespace("short-lived");
    const mirror = await dst.service("web");
    // As svc-ferry leaves them in a namespace of another route: made by its own account.
    const account = new Cluster(
      bed.destination.connection(),
      "system:serviceaccount:svc-ferry:svc-ferry",
    );
    const { labels = {} } = mirror.metadata;
    await account.create(service("short-lived", "web", { labels }));

    await to.remove("Namespace", undefined, "short-lived");

    await waitFor(async () => (await to.get("Namespace", undefined, "short-lived")) === undefined, {
      what: "the end of the namespace",
      timeoutMs: 60_000,
    });
    await account.close();
  });
});

function statusOf(object: Stored): Readonly<Record<string, unknown>> {
  return (object["status"] ?? {}) as Readonly<Record<string, unknown>>;
}
