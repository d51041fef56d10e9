import { describe, expect, it } from "vitest";
import type { KeepToken } from "../../../../src/kube/bound-tokens.js";
import { json, type Respond, status } from "./fixture/fake-api-server.js";
import { jwt } from "./fixture/jwt.js";
import { kubeconfig, never, type Opened, services, withCluster } from "./fixture/opened.js";

const SYSTEM = "/api/v1/namespaces/kube-system";
const PATH = "/api/v1/namespaces/k8s-sync/serviceaccounts/svc-ferry/token";
const HOUR_MS = 3_600_000;
const START_S = 1_767_225_600;
const web = { metadata: { name: "web", namespace: "shop" } };
const ref = { namespace: "shop", name: "web" };

/** Of the ServiceAccount, from this hour of the test on, for 24 h, bound to a Secret. */
function tokenOf(hour: number): string {
  const iat = START_S + hour * 3600;
  return jwt({
    sub: "system:serviceaccount:k8s-sync:svc-ferry",
    aud: ["https://kubernetes.default.svc"],
    iat,
    exp: iat + 86_400,
    "kubernetes.io": { namespace: "k8s-sync", secret: { name: "anchor", uid: "u1" } },
  });
}

/** A cluster that answers TokenRequests with `renewed`, or refuses them. */
function cluster(renewed: string | undefined, expires: string): Respond {
  return ({ url }, response) => {
    if (url === SYSTEM) return json(response, 200, { metadata: { uid: "one" } });
    if (url !== PATH) return json(response, 200, web);
    if (renewed === undefined) return json(response, 403, status(403, "Forbidden", {}, "may not"));
    json(response, 201, { status: { token: renewed, expirationTimestamp: expires } });
  };
}

/** Reads now, and reads on until requests carry `token`. */
async function untilSent({ api, server }: Opened, token: string): Promise<void> {
  await expect
    .poll(async () => {
      await api.get(services, ref, never);
      return server.seen.findLast(({ url }) => url.includes("/services/"))?.headers.authorization;
    })
    .toBe(`Bearer ${token}`);
}

function requestsFor({ server }: Opened, path: string) {
  return server.seen.filter(({ url }) => url === path);
}

async function withToken(
  renewed: string | undefined,
  run: (opened: Opened) => Promise<void>,
  keepToken?: KeepToken,
): Promise<void> {
  await withCluster(
    async (opened) => {
      opened.server.respond = cluster(renewed, "2026-01-02T12:00:00Z");
      await opened.api.get(services, ref, never);
      await run(opened);
    },
    { user: { token: tokenOf(0) }, deps: { keepToken } },
  );
}

describe("a bound token in the kubeconfig", () => {
  it("is left alone for the first half of its life", async () => {
    await withToken(tokenOf(12), async (opened) => {
      opened.clock.advance(12 * HOUR_MS - 1);
      await untilSent(opened, tokenOf(0));
      const { url } = opened.server;
      await opened.write("config", kubeconfig({ server: url }, { token: "other" }));
      opened.clock.advance(10_000);
      await untilSent(opened, "other");

      expect(requestsFor(opened, PATH)).toEqual([]);
    });
  });

  it("is renewed at half of its life, as what it was, and the next one is proven", async () => {
    await withToken(tokenOf(12), async (opened) => {
      opened.clock.advance(12 * HOUR_MS);
      await untilSent(opened, tokenOf(12));

      const [request] = requestsFor(opened, PATH);
      expect(request?.headers.authorization).toBe(`Bearer ${tokenOf(0)}`);
      expect(JSON.parse(request?.body ?? "")).toEqual({
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          audiences: ["https://kubernetes.default.svc"],
          expirationSeconds: 86_400,
          boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "anchor", uid: "u1" },
        },
      });
      expect(requestsFor(opened, SYSTEM).at(-1)?.headers.authorization).toBe(
        `Bearer ${tokenOf(12)}`,
      );
    });
  });

  it("that the server made shorter than asked is renewed at half of that", async () => {
    await withToken(tokenOf(12), async (opened) => {
      opened.server.respond = cluster(tokenOf(12), "2026-01-01T14:00:00Z");
      opened.clock.advance(12 * HOUR_MS);
      await untilSent(opened, tokenOf(12));
      opened.server.respond = cluster(tokenOf(13), "2026-01-02T13:00:00Z");

      opened.clock.advance(HOUR_MS);

      await untilSent(opened, tokenOf(13));
      expect(requestsFor(opened, PATH)).toHaveLength(2);
    });
  });

  it("that may not be renewed is told once with its end, stays, and is tried once a minute", async () => {
    await withToken(undefined, async (opened) => {
      opened.clock.advance(12 * HOUR_MS);
      await untilSent(opened, tokenOf(0));
      await expect.poll(() => opened.log.lines).toHaveLength(1);
      opened.clock.advance(59_999);
      await untilSent(opened, tokenOf(0));
      expect(requestsFor(opened, PATH)).toHaveLength(1);
      opened.clock.advance(10_000);
      await expect
        .poll(async () => {
          await untilSent(opened, tokenOf(0));
          return requestsFor(opened, PATH);
        })
        .toHaveLength(2);

      expect(opened.log.records).toEqual([
        {
          message: "token could not be renewed, it ends",
          fields: {
            err: expect.objectContaining({ code: "FERRY-K006" }),
            expires: "2026-01-02T00:00:00.000Z",
          },
        },
      ]);
    });
  });

  it("is kept where the kubeconfig comes from, once, when it is proven", async () => {
    const kept: string[][] = [];
    await withToken(
      tokenOf(12),
      async (opened) => {
        opened.clock.advance(12 * HOUR_MS);
        await untilSent(opened, tokenOf(12));
        opened.clock.advance(10_000);
        await untilSent(opened, tokenOf(12));

        expect(kept).toEqual([[tokenOf(0), tokenOf(12)]]);
      },
      async (old, renewed) => void kept.push([old, renewed]),
    );
  });

  it("that cannot be kept is in use all the same, and kept later", async () => {
    let works = false;
    const kept: string[] = [];
    await withToken(
      tokenOf(12),
      async (opened) => {
        opened.clock.advance(12 * HOUR_MS);
        await untilSent(opened, tokenOf(12));
        await expect
          .poll(() => opened.log.lines.at(-1))
          .toBe("warn: renewed token could not be kept, a restart would not find it");
        works = true;
        await expect
          .poll(async () => {
            opened.clock.advance(20_000);
            await untilSent(opened, tokenOf(12));
            return kept;
          })
          .toEqual([tokenOf(12)]);
      },
      async (_old, renewed) => {
        if (!works) throw new Error("no right");
        kept.push(renewed);
      },
    );
  });

  it("gives way to a younger one that arrives in the kubeconfig", async () => {
    await withToken(tokenOf(12), async (opened) => {
      opened.clock.advance(12 * HOUR_MS);
      await untilSent(opened, tokenOf(12));
      const { url } = opened.server;
      await opened.write("config", kubeconfig({ server: url }, { token: tokenOf(13) }));

      opened.clock.advance(HOUR_MS);

      await untilSent(opened, tokenOf(13));
      expect(requestsFor(opened, PATH)).toHaveLength(1);
    });
  });
});
