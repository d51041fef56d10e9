import { chmod, readFile, rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { openCluster } from "../../../../src/kube/open-cluster.js";
import { json, type Respond, status } from "./fixture/fake-api-server.js";
import { base64, selfSigned } from "./fixture/certificates.js";
import { FakeApiServer } from "./fixture/fake-api-server.js";
import { ManualClock } from "./fixture/manual-clock.js";
import {
  fixedRandom,
  kubeconfig,
  never,
  type Opened,
  type Scratch,
  services,
  withCluster,
  withScratch,
} from "./fixture/opened.js";
import { RecordingLog } from "./fixture/recording-log.js";

const web = { metadata: { name: "web", namespace: "shop" } };
const ref = { namespace: "shop", name: "web" };
const SYSTEM = "/api/v1/namespaces/kube-system";
const ok = cluster("one");

/** Answers every question, also the one who it is. */
function cluster(uid: string): Respond {
  return ({ url }, response) =>
    json(response, 200, url === SYSTEM ? { metadata: { name: "kube-system", uid } } : web);
}

/** What requests carried; questions who the cluster is do not count. */
function tokens({ server }: Opened): readonly (string | undefined)[] {
  return server.seen.filter(({ url }) => url !== SYSTEM).map((seen) => seen.headers.authorization);
}

/** Reads on until requests carry this. */
async function untilSent(opened: Opened, authorization: string): Promise<void> {
  await expect
    .poll(async () => {
      await opened.api.get(services, ref, never);
      return tokens(opened).at(-1);
    })
    .toBe(authorization);
}

/** Answers 401 unless the token is one of these. */
function accepting(...good: readonly string[]): Respond {
  return (seen, response) =>
    good.includes(seen.headers.authorization?.replace("Bearer ", "") ?? "")
      ? ok(seen, response)
      : json(response, 401, status(401, "Unauthorized"));
}

/** A plugin that counts its runs in a file and prints token-RUN. */
async function plugin(scratch: Scratch, expires: string): Promise<object> {
  const command = await scratch.write(
    "plugin.sh",
    `#!/bin/sh
echo "$KUBERNETES_EXEC_INFO $GREETING" >> ${scratch.dir}/runs
n=$(wc -l < ${scratch.dir}/runs | tr -d ' ')
[ -f ${scratch.dir}/broken ] && { echo "session expired" >&2; exit 3; }
printf '{"kind":"ExecCredential","status":{"token":"token-%s","expirationTimestamp":"%s"}}' "$n" "${expires}"
`,
  );
  await chmod(command, 0o755);
  return { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin.sh", args: [] };
}

async function runsOf(scratch: Scratch): Promise<readonly string[]> {
  const text = await readFile(`${scratch.dir}/runs`, "utf8");
  return text.trim().split("\n");
}

/** Rewrites the kubeconfig for the same server. */
async function rewrite(opened: Opened, user: object): Promise<void> {
  await opened.write("config", kubeconfig({ server: opened.server.url }, user));
}

describe("a kubeconfig that cannot be used", () => {
  const open = (path: string, context: string) =>
    openCluster(
      { access: { kind: "kubeconfig", path, context }, maxConnections: 1 },
      { clock: new ManualClock(), log: new RecordingLog(), random: fixedRandom, env: {} },
    );

  it("is refused with the file that is not there and where to say which", async () => {
    await expect(open("/nowhere/config", "prod")).rejects.toMatchObject({
      name: "TerminalError",
      code: "FERRY-K005",
      message: expect.stringMatching(/^kubeconfig \/nowhere\/config cannot be read .*--kubeconfig/),
    });
  });

  it("is refused with file, context and the contexts there are", async () => {
    await withScratch(async ({ write }) => {
      const path = await write("config", kubeconfig({ server: "https://127.0.0.1:1" }));

      await expect(open(path, "staging")).rejects.toMatchObject({
        name: "TerminalError",
        code: "FERRY-K005",
        message: `kubeconfig ${path}: no context "staging"; it has prod`,
      });
    });
  });

  it("is refused with the file's name when it is missing or no YAML", async () => {
    await withScratch(async ({ dir, write }) => {
      const broken = await write("broken", "users: [token: s3cret\n  - {");

      await expect(open(`${dir}/none`, "prod")).rejects.toThrow(`${dir}/none`);
      await expect(open(broken, "prod")).rejects.toMatchObject({
        message: expect.not.stringContaining("s3cret"),
      });
      await expect(open(broken, "prod")).rejects.toThrow(broken);
    });
  });

  it("takes the current context when none is named", async () => {
    await withScratch(async ({ write }) => {
      const path = await write("config", kubeconfig({ server: "https://127.0.0.1:1" }, {}, "blue"));

      const api = await open(path, "");

      expect(api.cluster).toBe("blue");
      await api.close();
    });
  });

  it("outside of a pod says so for in-cluster access", async () => {
    const opening = openCluster(
      { access: { kind: "in-cluster" }, maxConnections: 1 },
      { clock: new ManualClock(), log: new RecordingLog(), random: fixedRandom, env: {} },
    );

    await expect(opening).rejects.toThrow("not in a cluster");
  });
});

describe("Credentials from a kubeconfig", () => {
  it("sends token, or user and password", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = ok;
        await opened.api.get(services, ref, never);
        await rewrite(opened, { username: "u", password: "p" });
        opened.clock.advance(10_000);

        await untilSent(opened, `Basic ${Buffer.from("u:p").toString("base64")}`);
        expect(tokens(opened)[0]).toBe("Bearer one");
      },
      { user: { token: "one" } },
    );
  });

  it("are read again when the file changes, at most every 10 s", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = ok;
        await opened.api.get(services, ref, never);
        await rewrite(opened, { token: "two" });
        opened.clock.advance(9999);
        await opened.api.get(services, ref, never);
        expect(tokens(opened)).toEqual(["Bearer one", "Bearer one"]);
        expect(opened.server.seen).toHaveLength(2);
        opened.clock.advance(1);

        await untilSent(opened, "Bearer two");
        expect(opened.log.lines).toEqual(["info: kubeconfig changed"]);
      },
      { user: { token: "one" } },
    );
  });

  it("stay as they are while a new file is broken, which is logged once", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = ok;
        await opened.api.get(services, ref, never);
        await opened.write("config", "}{");
        opened.clock.advance(10_000);
        await opened.api.get(services, ref, never);
        await expect.poll(() => opened.log.lines).toHaveLength(1);
        opened.clock.advance(10_000);
        await opened.api.get(services, ref, never);

        expect(new Set(tokens(opened))).toEqual(new Set(["Bearer one"]));
        expect(opened.log.lines).toHaveLength(1);
        expect(opened.log.lines[0]).toMatch(/^error: credentials cannot be used/);
      },
      { user: { token: "one" } },
    );
  });

  it("follow a token file, relative to the kubeconfig, and survive its absence", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = ok;
        await opened.write("token", "one\n");
        await opened.api.get(services, ref, never);
        await opened.write("token", "two\n");
        opened.clock.advance(10_000);
        await untilSent(opened, "Bearer two");
        await rm(`${opened.dir}/token`);
        opened.clock.advance(10_000);
        await opened.api.get(services, ref, never);
        await expect.poll(() => opened.log.lines).toHaveLength(1);
        await opened.api.get(services, ref, never);

        expect(tokens(opened).at(-1)).toBe("Bearer two");
      },
      { user: { tokenFile: "token", token: "stale" } },
    );
  });

  it("are read again at once after a 401, and the request is tried once more", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = accepting("one", "two");
        await opened.api.get(services, ref, never);
        await rewrite(opened, { token: "two" });
        opened.server.respond = accepting("two");

        expect(await opened.api.get(services, ref, never)).toEqual(web);
        expect(tokens(opened)).toEqual(["Bearer one", "Bearer one", "Bearer two"]);
      },
      { user: { token: "one" } },
    );
  });

  it("that the server refuses and that do not change are an error without a second try", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = accepting("other");

        const reading = opened.api.get(services, ref, never);

        await expect(reading).rejects.toMatchObject({
          code: "FERRY-K005",
          message: expect.not.stringContaining("s3cret"),
        });
        expect(opened.server.seen).toHaveLength(1);
      },
      { user: { token: "s3cret" } },
    );
  });

  it("start a refused watch again with new ones", async () => {
    await withCluster(
      async (opened) => {
        await opened.api.get(services, ref, never).catch(() => {});
        await rewrite(opened, { token: "two" });
        opened.server.respond = accepting("two");
        const options = { resourceVersion: "1", timeoutSeconds: 1, stallMs: 1000 };

        const watching = opened.api.watch(services, options, () => {}, never);

        await expect(watching).rejects.toMatchObject({ code: "FERRY-K007" });
        expect(tokens(opened).slice(1)).toEqual(["Bearer one", "Bearer two"]);
      },
      { user: { token: "one" } },
    );
  });
});

describe("Credentials from a plugin", () => {
  const start = "2026-01-01T00:00:00Z";
  const hourLater = "2026-01-01T01:00:00Z";

  /** A cluster whose user is the plugin; its clock starts at `start`. */
  async function withPlugin(
    expires: string,
    run: (opened: Opened) => Promise<void>,
  ): Promise<void> {
    await withCluster(
      async (opened) => {
        const exec = await plugin(opened, expires);
        await rewrite(opened, { exec: { ...exec, env: [{ name: "GREETING", value: "hi" }] } });
        opened.server.respond = ok;
        await run(opened);
      },
      { deps: { env: { PATH: "/usr/bin:/bin" } } },
    );
  }

  it("run it once for all who wait, with the protocol's variables", async () => {
    await withPlugin(hourLater, async (opened) => {
      expect(opened.clock.now()).toBe(Date.parse(start));
      const reads = [1, 2, 3].map(() => opened.api.get(services, ref, never));
      await Promise.all(reads);
      opened.clock.advance(10_000);
      await opened.api.get(services, ref, never);

      expect(new Set(tokens(opened))).toEqual(new Set(["Bearer token-1"]));
      expect(await runsOf(opened)).toEqual([
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}} hi',
      ]);
    });
  });

  it("are renewed a minute before they end, without anyone waiting for it", async () => {
    await withPlugin(hourLater, async (opened) => {
      await opened.api.get(services, ref, never);
      opened.clock.advance(3_539_000);
      await opened.api.get(services, ref, never);
      opened.clock.advance(10_000);
      await opened.api.get(services, ref, never);
      const last = tokens(opened);

      await expect.poll(() => runsOf(opened)).toHaveLength(2);
      expect(last).toEqual(["Bearer token-1", "Bearer token-1", "Bearer token-1"]);
      await expect
        .poll(async () => {
          opened.clock.advance(10_000);
          await opened.api.get(services, ref, never);
          return tokens(opened).at(-1);
        })
        .toBe("Bearer token-2");
    });
  });

  it("are dropped on a 401 and asked for anew once", async () => {
    await withPlugin(hourLater, async (opened) => {
      await opened.api.get(services, ref, never);
      opened.server.respond = accepting("token-2");

      const reads = [1, 2, 3].map(() => opened.api.get(services, ref, never));

      expect(await Promise.all(reads)).toEqual([web, web, web]);
      expect(await runsOf(opened)).toHaveLength(2);
    });
  });

  it("do not run it for every 401 of a server that refuses everyone", async () => {
    await withPlugin(hourLater, async (opened) => {
      opened.server.respond = accepting("nobody");
      const read = () => opened.api.get(services, ref, never).catch((error: unknown) => error);

      expect(await read()).toMatchObject({ code: "FERRY-K005" });
      expect(await read()).toMatchObject({ code: "FERRY-K005" });
      expect(await runsOf(opened)).toHaveLength(2);
    });
  });

  it("say why the plugin failed and do not run it again for 2 s", async () => {
    await withPlugin(hourLater, async (opened) => {
      await opened.write("broken", "");
      const read = () => opened.api.get(services, ref, never).catch((error: unknown) => error);

      expect(await read()).toMatchObject({
        name: "RetryableError",
        code: "FERRY-K005",
        message: expect.stringContaining("ended with 3: session expired"),
      });
      await read();
      expect(await runsOf(opened)).toHaveLength(1);
      await rm(`${opened.dir}/broken`);
      opened.clock.advance(2000);
      expect(await read()).toEqual(web);
    });
  });

  it("do not keep a stopped caller waiting for the plugin", async () => {
    await withCluster(
      async (opened) => {
        await rewrite(opened, { exec: { command: "/bin/sleep", args: ["600"] } });
        const stop = new AbortController();
        const reading = opened.api.get(services, ref, stop.signal).catch((error: unknown) => error);
        await opened.clock.someoneSleeps();

        stop.abort();

        expect(await reading).toMatchObject({ code: "FERRY-K001" });
        opened.clock.advance(60_000);
      },
      { deps: { env: {} } },
    );
  });
});

describe("Credentials over TLS", () => {
  it("check the server by CA and name, show a client certificate, and move to new connections when they change", async () => {
    const serving = selfSigned("kube.test");
    const [blue, green] = [selfSigned("blue"), selfSigned("green")];
    const server = await FakeApiServer.start({
      ...serving,
      ca: [blue.cert, green.cert],
      requestCert: true,
    });
    const names: string[] = [];
    server.server.on("secureConnection", (socket) => {
      names.push(String(socket.getPeerCertificate().subject.CN));
    });
    server.respond = ok;
    const address = {
      server: server.url,
      "tls-server-name": "kube.test",
      "certificate-authority-data": base64(serving.cert),
    };
    const user = (pair: typeof blue) => ({
      "client-certificate-data": base64(pair.cert),
      "client-key-data": base64(pair.key),
    });
    await withScratch(async ({ write }) => {
      const path = await write("config", kubeconfig(address, user(blue)));
      const clock = new ManualClock();
      const log = new RecordingLog();
      const deps = { clock, log, random: fixedRandom, env: {} };
      const access = { kind: "kubeconfig", path, context: "prod" } as const;
      const api = await openCluster({ access, maxConnections: 1 }, deps);

      await api.get(services, ref, never);
      await write("config", kubeconfig(address, user(green)));
      clock.advance(10_000);
      await expect
        .poll(async () => {
          await api.get(services, ref, never);
          return api.connections;
        })
        .toBe(2);

      // Its own, the two over which both are asked who the cluster is, and that of the new one.
      expect(names).toEqual(["blue", "blue", "green", "green"]);
      await write(
        "config",
        kubeconfig({ ...address, "tls-server-name": "evil.test" }, user(green)),
      );
      clock.advance(10_000);
      await api.get(services, ref, never);
      await expect.poll(() => log.lines.at(-1)).toMatch(/^error: credentials cannot be used/);
      expect(await api.get(services, ref, never)).toEqual(web);
      expect(api.connections).toBe(2);
      await api.close();
    });
    await server.stop();
  });

  it("let requests and watches on the old connections end in peace", async () => {
    await withCluster(async (opened) => {
      const other = await FakeApiServer.start();
      other.respond = ok;
      const answer = Promise.withResolvers<void>();
      opened.server.respond = (seen, response) => {
        if (seen.url === SYSTEM) return ok(seen, response);
        void answer.promise.then(() => ok(seen, response));
      };
      const slow = opened.api.get(services, ref, never);
      await opened.server.received(1);
      await opened.write("config", kubeconfig({ server: other.url }));
      opened.clock.advance(10_000);
      const also = opened.api.get(services, ref, never);
      await other.received(1);
      await expect.poll(() => opened.log.lines).toContain("info: kubeconfig changed");

      expect(await opened.api.get(services, ref, never)).toEqual(web);
      answer.resolve();
      expect([await slow, await also]).toEqual([web, web]);

      expect(tokens(opened)).toHaveLength(2);
      expect(other.seen.map(({ url }) => url === SYSTEM)).toEqual([true, false]);
      await opened.api.close();
      await other.stop();
    });
  });
});
