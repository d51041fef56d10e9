import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.js";
import { KubeClusters } from "../../../src/kube-clusters.js";
import { silentKubeObserver } from "../../../src/ports/kube-observer.js";
import { FakeApiServer, json } from "./kube/fixture/fake-api-server.js";
import { jwt } from "./kube/fixture/jwt.js";
import { ManualClock } from "./kube/fixture/manual-clock.js";
import { fixedRandom, never, services, withScratch } from "./kube/fixture/opened.js";
import { RecordingLog } from "./kube/fixture/recording-log.js";

const HOUR_MS = 3_600_000;
const sub = "system:serviceaccount:svc-ferry:svc-ferry";
const START_S = 1_767_225_600;
const old = jwt({ sub, iat: START_S, exp: START_S + 86_400 });
const renewed = jwt({ sub, iat: START_S + 43_200, exp: START_S + 129_600 });
const SECRET = "/api/v1/namespaces/k8s-sync/secrets/svc-ferry-destination";

let source: FakeApiServer;
let destination: FakeApiServer;
beforeEach(async () => {
  source = await FakeApiServer.start();
  destination = await FakeApiServer.start();
  source.respond = ({ method, body }, response) => {
    const data = { kubeconfig: Buffer.from(`token: ${old}`).toString("base64") };
    const metadata = { namespace: "k8s-sync", name: "svc-ferry-destination", resourceVersion: "1" };
    json(response, 200, method === "GET" ? { metadata, data } : JSON.parse(body));
  };
  destination.respond = ({ method }, response) =>
    method === "POST"
      ? json(response, 201, {
          status: { token: renewed, expirationTimestamp: "2026-01-02T12:00:00Z" },
        })
      : json(response, 200, { metadata: { name: "x", uid: "destination" } });
});
afterEach(async () => {
  await Promise.all([source.stop(), destination.stop()]);
});

/** Both clusters opened as the process does, and the destination's token past half of its life. */
async function renewing(
  flags: Readonly<Record<string, string>>,
  untilWritten: () => Promise<void>,
) {
  await withScratch(async ({ write }) => {
    const kubeconfig = await write("config", kubeconfigOf(source.url, destination.url));
    const loaded = loadConfig({
      flags: { kubeconfig, srcContext: "a", dstContext: "b", podName: "pod", ...flags },
      env: {},
      readFile: () => "",
    });
    if (loaded.kind === "invalid") throw new Error("the flags are invalid");
    const clock = new ManualClock();
    const log = new RecordingLog();
    const clusters = new KubeClusters(loaded.config, clock, fixedRandom, log, silentKubeObserver);
    const access = (context: string) =>
      ({ kind: "kubeconfig", path: kubeconfig, context }) as const;
    await clusters.open("a", access("a"), "id");
    const api = await clusters.open("b", access("b"), "id");
    const read = async () => api.get(services, { namespace: "shop", name: "x" }, never);
    await read();
    clock.advance(12 * HOUR_MS);
    await expect
      .poll(async () => {
        await read();
        return destination.seen.at(-1)?.headers.authorization;
      })
      .toBe(`Bearer ${renewed}`);
    await untilWritten();
    await clusters.close();
  });
}

describe("KubeClusters", () => {
  it("keep a destination's renewed token in the source's Secret beside the Lease", async () => {
    await renewing({ kubeconfigSecret: "svc-ferry-destination" }, async () => source.received(2));

    const asked = source.seen.map(({ method, url }) => `${method} ${url}`);
    expect(asked).toEqual([`GET ${SECRET}`, `PUT ${SECRET}`]);
    const { data } = JSON.parse(source.seen[1]?.body ?? "") as { data: { kubeconfig: string } };
    expect(Buffer.from(data.kubeconfig, "base64").toString()).toBe(`token: ${renewed}`);
  });

  it("write to no Secret that nobody named", async () => {
    await renewing({}, async () => {});

    expect(source.seen).toEqual([]);
  });
});

function kubeconfigOf(a: string, b: string): string {
  return JSON.stringify({
    contexts: ["a", "b"].map((name) => ({ name, context: { cluster: name, user: name } })),
    clusters: [
      { name: "a", cluster: { server: a } },
      { name: "b", cluster: { server: b } },
    ],
    users: [
      { name: "a", user: { token: "source" } },
      { name: "b", user: { token: old } },
    ],
  });
}
