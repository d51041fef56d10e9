/** Which etcd these tests run on: the control plane's, or an older one (test/matrix/etcd). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Etcd } from "../../../sidecar/etcd/etcd.js";
import { introduce } from "../../../sidecar/etcd/introduction.js";
import { goModule, RELEASE_VARIABLE } from "../../controlplane/build.js";
import { environment } from "../../controlplane/environment.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { openRealEtcd } from "../../harness/open-etcd.js";

const SIGNAL = new AbortController().signal;
const { [RELEASE_VARIABLE]: release, SVC_FERRY_TEST_ETCD_VERSION: older } = environment();
/** Else the one that Kubernetes of the test bed brings. */
const WANTED = older ?? goModule(release).etcdVersion;

describe("the etcd of these tests", () => {
  let server: EtcdServer;
  let etcd: Etcd;
  beforeAll(async () => {
    server = await startEtcd();
    etcd = await openRealEtcd(server.endpoint);
  });
  afterAll(async () => {
    await etcd.close();
    await server.stop();
  });

  it("is of the release that was asked for", async () => {
    const versions = (await etcd.members({ signal: SIGNAL })).map(({ version }) => version);

    expect(versions).toEqual([WANTED]);
  });

  it.each(["source", "destination"] as const)("will do as %s of a mirror", async (role) => {
    const found = await introduce(etcd, role, SIGNAL);

    expect(found).toMatchObject({ kind: "ok", version: WANTED });
  });
});
