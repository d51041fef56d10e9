import { describe, expect, it } from "vitest";
import { CONFIGURATIONS, type WebhookConfiguration } from "../../../certs/webhook-configuration.js";
import type { Secret } from "../../../certs/secret-content.js";
import { CertsCommands } from "../../../src/certs-commands.js";
import type { CertsConfig } from "../../../src/config/certs-config.js";
import { RetryableError } from "../../../src/ports/errors.js";
import { NAMESPACES, SECRETS } from "../../../src/ports/kube-resources.js";
import { MemoryApiServer } from "../../fakes/memory-api-server.js";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { newCa, newLeaf } from "../../fixtures/certificates.js";
import { DirectApi } from "../../fixtures/direct-api.js";
import { HeldSecret, SECRET_REF } from "../../fixtures/held-secret.js";

const CONFIG: CertsConfig = {
  source: { name: "eks-a", access: { kind: "in-cluster" } },
  namespace: "k8s-sync",
  configuration: "svc-ferry",
  certs: { mode: "self", directory: "/certs" },
};
const PROVIDED: CertsConfig = { ...CONFIG, certs: { mode: "provided", directory: "/certs" } };

function bed(files: Readonly<Record<string, string>> = {}) {
  const clock = new VirtualClock();
  const server = new MemoryApiServer({ clock, random: new SeededRandom(1) });
  server.create(NAMESPACES, { metadata: { name: "k8s-sync" } });
  const api = new DirectApi(server, "eks-a");
  const opened: string[] = [];
  const commands = new CertsCommands({
    open: async ({ name }) => {
      opened.push(`open ${name}`);
      return Object.assign(api, { close: async () => void opened.push(`close ${name}`) });
    },
    clock,
    readFile: (path) => {
      const text = files[path];
      if (text !== undefined) return text;
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    },
  });
  return { server, api, commands, opened };
}

function install({ server }: ReturnType<typeof bed>, held = new HeldSecret()): HeldSecret {
  const { uid: _made, ...metadata } = held.secret().metadata;
  server.create(SECRETS, { ...held.secret(), metadata } as Secret);
  for (const resource of Object.values(CONFIGURATIONS)) {
    server.create(resource, { ...held.configuration } as WebhookConfiguration);
  }
  return held;
}

describe("CertsCommands.print", () => {
  it("gives the Secret's bundle, every CA of it", async () => {
    const source = bed();
    const { holding } = install(source, new HeldSecret().request("ca").run());

    const bundle = await source.commands.print(CONFIG);

    expect(holding.cas).toHaveLength(2);
    expect(bundle).toEqual({ kind: "bundle", pem: holding.cas.map(({ pem }) => pem).join("") });
    expect(source.opened).toEqual(["open eks-a", "close eks-a"]);
  });

  it("cannot without a Secret, or without a CA in it", async () => {
    const source = bed();
    const before = await source.commands.print(CONFIG);
    source.server.create(SECRETS, { metadata: SECRET_REF });

    expect(before).toMatchObject({ kind: "cannot", problem: expect.stringContaining("no Secret") });
    expect(await source.commands.print(CONFIG)).toMatchObject({
      kind: "cannot",
      problem: "Secret k8s-sync/svc-ferry-webhook-tls holds no CA",
    });
  });

  it("takes the CAs of ca.crt, and nothing else of it, with another mode; no cluster is asked", async () => {
    const ca = newCa();
    const leaf = newLeaf(ca);
    const text = `junk\n${leaf.key}${leaf.certificate.pem}${ca.certificate.pem}`;
    const { commands, opened } = bed({ "/certs/ca.crt": text });

    expect(await commands.print(PROVIDED)).toEqual({ kind: "bundle", pem: ca.certificate.pem });
    expect(opened).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["is not there", {}, "/certs/ca.crt cannot be read: ENOENT"],
    ["holds none", { "/certs/ca.crt": "junk" }, "/certs/ca.crt holds no CA certificate"],
  ])("cannot when ca.crt %s", async (_, files, problem) => {
    expect(await bed(files).commands.print(PROVIDED)).toMatchObject({
      kind: "cannot",
      problem: expect.stringContaining(problem),
    });
  });

  it("closes the source when that refuses", async () => {
    const source = bed();
    source.api.before = () => {
      throw new RetryableError("FERRY-K006", "no");
    };

    await expect(source.commands.print(CONFIG)).rejects.toThrow("no");
    expect(source.opened).toEqual(["open eks-a", "close eks-a"]);
  });
});

describe("CertsCommands.report", () => {
  it("reads the Secret and both configurations, and writes nothing", async () => {
    const source = bed();
    install(source);

    const report = await source.commands.report(CONFIG);

    expect(report).toMatchObject({
      kind: "CertificatesReport",
      cluster: "eks-a",
      mode: "self",
      configurations: [{ state: "trusts" }, { state: "trusts" }],
      problems: [],
    });
    expect(source.api.requests).toEqual([
      "get secrets k8s-sync/svc-ferry-webhook-tls",
      "get mutatingwebhookconfigurations svc-ferry",
      "get validatingwebhookconfigurations svc-ferry",
    ]);
  });

  it("judges files with another mode, also without ca.crt", async () => {
    const leaf = newLeaf(newCa(), { names: ["svc-ferry-webhook.k8s-sync.svc"] });
    const source = bed({ "/certs/tls.crt": leaf.certificate.pem, "/certs/tls.key": leaf.key });
    install(source);

    expect(await source.commands.report(PROVIDED)).toMatchObject({
      mode: "provided",
      leaves: [
        { name: "serving", in: "files", state: "good" },
        { name: "hand-off", in: "secret", state: "good" },
      ],
    });
  });

  it("says what is wrong with files that are there", async () => {
    const [leaf, other] = [newLeaf(newCa()), newLeaf(newCa())];
    const source = bed({ "/certs/tls.crt": leaf.certificate.pem, "/certs/tls.key": other.key });
    install(source);

    expect(await source.commands.report(PROVIDED)).toMatchObject({
      leaves: [{ state: "mismatched" }, { state: "good" }],
    });
  });

  it("cannot without the files", async () => {
    const source = bed();

    expect(await source.commands.report(PROVIDED)).toMatchObject({
      kind: "cannot",
      problem: "/certs/tls.crt cannot be read: ENOENT: /certs/tls.crt",
    });
    expect(source.opened).toEqual([]);
  });
});

describe("CertsCommands.rotate", () => {
  const stored = ({ server }: ReturnType<typeof bed>): Secret => server.get(SECRETS, SECRET_REF);
  const annotations = (source: ReturnType<typeof bed>) => stored(source).metadata.annotations;

  it("annotates the Secret, and changes nothing else of it", async () => {
    const source = bed();
    install(source);
    const { data } = stored(source);

    const answer = await source.commands.rotate(CONFIG, "ca");

    expect(answer).toMatchObject({ kind: "requested", rotation: "ca", replaced: undefined });
    expect(annotations(source)).toEqual({ "svc-ferry.io/rotate": "ca" });
    expect(stored(source).data).toEqual(data);
  });

  it("writes nothing when it is requested already", async () => {
    const source = bed();
    install(source);
    await source.commands.rotate(CONFIG, "leaf");
    source.api.requests.length = 0;

    expect(await source.commands.rotate(CONFIG, "leaf")).toEqual({
      kind: "already-requested",
      rotation: "leaf",
    });
    expect(source.api.requests).toEqual(["get secrets k8s-sync/svc-ferry-webhook-tls"]);
  });

  it("asks no cluster for what is not svc-ferry's", async () => {
    const source = bed();

    expect(await source.commands.rotate(PROVIDED, "ca")).toMatchObject({ kind: "cannot" });
    expect(source.opened).toEqual([]);
  });

  it("says so when the Secret is exchanged meanwhile", async () => {
    const source = bed();
    install(source);
    const { data } = stored(source);
    source.api.before = (request) => {
      if (!request.startsWith("patch")) return;
      source.server.delete(SECRETS, SECRET_REF);
      source.server.create(SECRETS, { metadata: SECRET_REF, data } as Secret);
    };

    expect(await source.commands.rotate(CONFIG, "leaf")).toMatchObject({
      kind: "cannot",
      problem: "the Secret was exchanged or deleted meanwhile",
    });
    expect(annotations(source)).toBeUndefined();
  });
});
