/** A destination that trusts the source's issuer: no secret is stored, and the kubelet's exchange of the file is not noticed. */
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:https";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCluster } from "../../src/kube/open-cluster.js";
import { silentKubeObserver } from "../../src/ports/kube-observer.js";
import { SERVICES } from "../../src/ports/kube-resources.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { listenOnFreePort } from "../controlplane/free-port.js";
import { selfSigned } from "../controlplane/self-signed.js";
import { Cluster } from "../harness/cluster.js";
import { HurriedClock } from "../harness/hurried-clock.js";
import { ServiceWriters } from "../harness/service-writers.js";
import { exchangeFile } from "../harness/exchange-file.js";
import { waitFor } from "../harness/wait-for.js";
import { RecordingLog } from "../unit/src/kube/fixture/recording-log.js";

const START_MS = 120_000;
const AUDIENCE = "destination.example.com";
const SUBJECT = "system:serviceaccount:k8s-sync:svc-ferry";

/** What of the source's API server others see of its ServiceAccounts: the issuer's documents. It also is the kubelet here. */
class SourceIssuer {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #serving = selfSigned("issuer");
  #server: Server | undefined;
  url = "";

  get ca(): string {
    return this.#serving.cert;
  }

  async start(): Promise<void> {
    this.#server = createServer(this.#serving, ({ url }, response) => {
      const document = url === "/jwks" ? this.#jwks() : this.#discovery();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(document));
    });
    this.url = `https://127.0.0.1:${await listenOnFreePort(this.#server)}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  token(seconds: number): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: [AUDIENCE], sub: SUBJECT, iat: now, exp: now + seconds };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${part({ alg: "ES256", kid: "1", typ: "JWT" })}.${part(claims)}`;
    const key = { key: this.#keys.privateKey, dsaEncoding: "ieee-p1363" } as const;
    return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
  }

  #jwks(): object {
    const key = this.#keys.publicKey.export({ format: "jwk" });
    return { keys: [{ ...key, kid: "1", alg: "ES256", use: "sig" }] };
  }

  #discovery(): object {
    const signing = ["ES256"];
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: signing,
    };
  }
}

describe("a projected token that the destination trusts", () => {
  const issuer = new SourceIssuer();
  let dir: string;
  let plane: ControlPlane;
  let administrator: Cluster;

  beforeAll(async () => {
    await issuer.start();
    dir = await mkdtemp(join(tmpdir(), "svc-ferry-projected-"));
    const authentication = join(dir, "authentication.json");
    await writeFile(
      authentication,
      JSON.stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "AuthenticationConfiguration",
        jwt: [
          {
            issuer: { url: issuer.url, audiences: [AUDIENCE], certificateAuthority: issuer.ca },
            claimMappings: { username: { claim: "sub", prefix: "source:" } },
          },
        ],
      }),
    );
    plane = await startControlPlane({
      name: "trusting",
      extraApiServerArgs: [`--authentication-config=${authentication}`],
    });
    administrator = new Cluster(plane);
    await administrator.createNamespace("mirrors");
    await mayWrite(administrator, `source:${SUBJECT}`);
  }, START_MS);
  afterAll(async () => {
    await administrator.close();
    await plane.stop();
    issuer.stop();
    await rm(dir, { recursive: true });
  });

  it("is exchanged before its end without a failed write", { timeout: START_MS }, async () => {
    const file = join(dir, "token");
    const ends: (number | undefined)[] = [];
    const log = new RecordingLog();
    // The API server reads the documents of the issuer when it likes, so the first token is none that ends meanwhile.
    await exchangeFile(file, issuer.token(600));
    await writeFile(join(dir, "config"), kubeconfig(plane));
    const access = { kind: "kubeconfig", path: join(dir, "config"), context: "c" } as const;
    const api = await openCluster(
      { access, maxConnections: 4 },
      {
        clock: new HurriedClock(),
        random: new SystemRandom(),
        log,
        env: {},
        observer: {
          ...silentKubeObserver,
          credentialTaken: (_cluster, life) => void ends.push(life?.endsAtMs),
        },
      },
    );
    const { signal } = new AbortController();
    const known = async (): Promise<boolean> => {
      await api.list(SERVICES, { namespace: "mirrors" }, signal);
      return true;
    };
    await waitFor(known, { what: "the destination to know the issuer", timeoutMs: 60_000 });

    const writers = new ServiceWriters(api, administrator, "mirrors");
    await writers.more(20);
    await exchangeFile(file, issuer.token(15));
    await waitFor(() => ends.length === 2, { what: "the short token" });
    await writers.more(20);
    await exchangeFile(file, issuer.token(600));
    await waitFor(() => Date.now() > (ends[1] ?? 0) + 1_000, {
      what: "the end of the short token",
      timeoutMs: 30_000,
    });
    await writers.more(50);
    await writers.stop();

    expect(writers.failures).toEqual([]);
    expect(ends).toHaveLength(3);
    expect(log.lines).toEqual([]);
    await api.close();
  });
});

function kubeconfig({ server, ca }: ControlPlane): string {
  const data = Buffer.from(ca).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server, "certificate-authority-data": data } }],
    users: [{ name: "c", user: { tokenFile: "token" } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
  });
}

async function mayWrite(administrator: Cluster, user: string): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  const metadata = { namespace: "mirrors", name: "svc-ferry" };
  await administrator.apply({
    apiVersion: `${group}/v1`,
    kind: "Role",
    metadata,
    rules: [{ apiGroups: [""], resources: ["services"], verbs: ["list", "patch"] }],
  });
  await administrator.apply({
    apiVersion: `${group}/v1`,
    kind: "RoleBinding",
    metadata,
    roleRef: { apiGroup: group, kind: "Role", name: "svc-ferry" },
    subjects: [{ apiGroup: group, kind: "User", name: user }],
  });
}
