/** Another kubeconfig, or another token, takes the place of the one in use: only when it is proven, and with nobody waiting. */
import { describe, expect, it } from "vitest";
import type { KubeObserver } from "../../../../src/ports/kube-observer.js";
import { silentKubeObserver } from "../../../../src/ports/kube-observer.js";
import { FakeApiServer, json, type Respond, status } from "./fixture/fake-api-server.js";
import { jwt } from "./fixture/jwt.js";
import { kubeconfig, never, type Opened, services, withCluster } from "./fixture/opened.js";

const SYSTEM = "/api/v1/namespaces/kube-system";
const web = { metadata: { name: "web", namespace: "shop" } };
const ref = { namespace: "shop", name: "web" };

/** A cluster of this identity that knows these tokens. */
function cluster(uid: string, ...tokens: readonly string[]): Respond {
  return ({ url, headers }, response) => {
    const token = headers.authorization?.replace("Bearer ", "") ?? "";
    if (!tokens.includes(token)) return json(response, 401, status(401, "Unauthorized"));
    json(response, 200, url === SYSTEM ? { metadata: { uid } } : web);
  };
}

function sent({ server }: Pick<Opened, "server">): readonly (string | undefined)[] {
  return server.seen.filter(({ url }) => url !== SYSTEM).map((seen) => seen.headers.authorization);
}

/** Notes what is told of credentials. */
class Ear {
  readonly told: string[] = [];
  readonly observer: KubeObserver = {
    ...silentKubeObserver,
    credentialTaken: (name, life) => this.told.push(`${name} ends ${life?.endsAtMs ?? "never"}`),
    credentialTrouble: (name, isInTrouble) => this.told.push(`${name} trouble ${isInTrouble}`),
  };
}

/** A cluster "one" with token "old" in use; then the kubeconfig becomes another, and is looked at. */
async function exchange(
  next: (opened: Opened) => Promise<string> | string,
  then: (opened: Opened, ear: Ear) => Promise<void>,
): Promise<void> {
  const ear = new Ear();
  await withCluster(
    async (opened) => {
      opened.server.respond = cluster("one", "old", "new");
      await opened.api.get(services, ref, never);
      await opened.write("config", await next(opened));
      opened.clock.advance(10_000);
      await opened.api.get(services, ref, never);
      await then(opened, ear);
    },
    { user: { token: "old" }, deps: { observer: ear.observer } },
  );
}

async function untilLogged({ log }: Opened, line: string): Promise<void> {
  await expect.poll(() => log.lines.at(-1)).toBe(line);
}

const KEPT = "error: credentials cannot be used, those from before stay in use";

describe("a new kubeconfig", () => {
  it("is asked about before it is used, over connections of its own", async () => {
    await exchange(
      ({ server }) => kubeconfig({ server: server.url }, { token: "new" }),
      async (opened) => {
        await untilLogged(opened, "info: kubeconfig changed");
        await opened.api.get(services, ref, never);

        const asked = opened.server.seen.filter(({ url }) => url === SYSTEM);
        expect(asked.map(({ headers }) => headers.authorization)).toEqual([
          "Bearer old",
          "Bearer new",
        ]);
        expect(sent(opened)).toEqual(["Bearer old", "Bearer old", "Bearer new"]);
      },
    );
  });

  it("with a token that the server refuses is not used, which is told once, until it is right", async () => {
    await exchange(
      ({ server }) => kubeconfig({ server: server.url }, { token: "wrong" }),
      async (opened, ear) => {
        await untilLogged(opened, KEPT);
        opened.clock.advance(10_000);
        await opened.api.get(services, ref, never);
        expect(ear.told).toEqual(["prod ends never", "prod trouble true"]);
        await opened.write("config", kubeconfig({ server: opened.server.url }, { token: "new" }));

        await expect
          .poll(async () => {
            opened.clock.advance(1_000);
            await opened.api.get(services, ref, never);
            return sent(opened).at(-1);
          })
          .toBe("Bearer new");
        expect(opened.log.lines).toEqual([
          KEPT,
          "info: kubeconfig changed",
          "info: credentials are in order again",
        ]);
        expect(ear.told.at(-1)).toBe("prod trouble false");
      },
    );
  });

  it("that leads to another cluster is not used, and says which", async () => {
    const other = await FakeApiServer.start();
    other.respond = cluster("two", "new");
    await exchange(
      () => kubeconfig({ server: other.url }, { token: "new" }),
      async (opened) => {
        await untilLogged(opened, KEPT);
        await opened.api.get(services, ref, never);

        expect(opened.log.records.at(-1)?.fields).toMatchObject({
          code: "FERRY-K012",
          err: { message: `${other.url} is another cluster: kube-system was one and is two` },
        });
        expect(sent({ server: other })).toEqual([]);
      },
    );
    await other.stop();
  });

  it("that is no good lets the one in use go on, also where its own token changes", async () => {
    await withCluster(
      async (opened) => {
        const { server, api, clock, write } = opened;
        server.respond = cluster("one", "old", "new");
        await write("token", "old");
        await api.get(services, ref, never);
        await write("config", kubeconfig({ server: server.url }, { token: "wrong" }));
        clock.advance(10_000);
        await api.get(services, ref, never);
        await untilLogged(opened, KEPT);
        await write("token", "new");

        await expect
          .poll(async () => {
            clock.advance(1_000);
            await api.get(services, ref, never);
            return sent(opened).at(-1);
          })
          .toBe("Bearer new");
        expect(opened.log.lines).toEqual([KEPT]);
      },
      { user: { tokenFile: "token" } },
    );
  });

  it("that leads to a new address of the same cluster is used", async () => {
    const other = await FakeApiServer.start();
    other.respond = cluster("one", "old");
    await exchange(
      () => kubeconfig({ server: other.url }, { token: "old" }),
      async (opened) => {
        await untilLogged(opened, "info: kubeconfig changed");
        await opened.api.get(services, ref, never);

        expect(sent({ server: other })).toEqual(["Bearer old"]);
      },
    );
    await other.stop();
  });

  it("that leads nowhere holds nobody up", async () => {
    const silent = await FakeApiServer.start();
    silent.respond = () => {};
    await exchange(
      () => kubeconfig({ server: silent.url }, { token: "old" }),
      async (opened) => {
        await silent.received(1);

        expect(await opened.api.get(services, ref, never)).toEqual(web);
        opened.clock.advance(10_000);
        await untilLogged(opened, KEPT);
      },
    );
    await silent.stop();
  });

  it("that leads to something else than an API server is not used", async () => {
    const page = await FakeApiServer.start();
    page.respond = (_seen, response) => void response.end("<html>welcome</html>");
    await exchange(
      () => kubeconfig({ server: page.url }, { token: "old" }),
      async (opened) => untilLogged(opened, KEPT),
    );
    await page.stop();
  });

  it("without a user is not used, though the server's 403 to anonymous requests looks like a proof", async () => {
    await exchange(
      ({ server }) => {
        const known = server.respond;
        server.respond = (seen, response) =>
          seen.url === SYSTEM
            ? json(response, 403, status(403, "Forbidden"))
            : known(seen, response);
        return kubeconfig({ server: server.url });
      },
      async (opened) => untilLogged(opened, KEPT),
    );
  });

  it("whose user may not read namespaces is used: a 403 proves who asks", async () => {
    await exchange(
      ({ server }) => {
        const known = server.respond;
        server.respond = (seen, response) =>
          seen.url === SYSTEM
            ? json(response, 403, status(403, "Forbidden"))
            : known(seen, response);
        return kubeconfig({ server: server.url }, { token: "new" });
      },
      async (opened) => untilLogged(opened, "info: kubeconfig changed"),
    );
  });

  it("is proven before it is used after a 401 as well", async () => {
    await withCluster(
      async (opened) => {
        opened.server.respond = cluster("one", "old");
        await opened.api.get(services, ref, never);
        opened.server.respond = cluster("one", "new");
        await opened.write("config", kubeconfig({ server: opened.server.url }, { token: "new" }));

        expect(await opened.api.get(services, ref, never)).toEqual(web);
        expect(sent(opened)).toEqual(["Bearer old", "Bearer old", "Bearer new"]);
      },
      { user: { token: "old" } },
    );
  });
});

describe("the end of a credential", () => {
  it("is told when it is taken into use", async () => {
    const ear = new Ear();
    const token = jwt({ iat: 1_767_225_600, exp: 1_767_229_200 });
    await withCluster(
      async ({ server, api }) => {
        server.respond = cluster("one", token);
        await api.get(services, ref, never);

        expect(ear.told).toEqual(["prod ends 1767229200000"]);
      },
      { user: { token }, deps: { observer: ear.observer } },
    );
  });

  it("is warned of once when a ServiceAccount's token has none", async () => {
    const token = jwt({ sub: "system:serviceaccount:k8s-sync:svc-ferry" });
    await withCluster(
      async ({ server, api, clock, log }) => {
        server.respond = cluster("one", token);
        await api.get(services, ref, never);
        clock.advance(10_000);
        await api.get(services, ref, never);

        expect(log.lines).toEqual([
          "warn: the token in use never ends: see docs/credentials.md for others",
        ]);
      },
      { user: { token } },
    );
  });
});
