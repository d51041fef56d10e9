import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import type { KubeObject, WatchEvent, WriteResult } from "../../../../src/ports/kube-api.js";
import { json, type Respond, status } from "./fixture/fake-api-server.js";
import { never, type Opened, services, withCluster } from "./fixture/opened.js";

const web: KubeObject = { metadata: { name: "web", namespace: "shop", resourceVersion: "7" } };
const ref = { namespace: "shop", name: "web" };
const asked = { uid: "u1", resourceVersion: "7" };
const write = { signal: never };

function answers(code: number, body: unknown, headers: Record<string, string> = {}): Respond {
  return (_seen, response) => json(response, code, body, headers);
}

function raw(code: number, body: string): Respond {
  return (_seen, response) => response.writeHead(code).end(body);
}

/** What one write answers when the server says `respond`. */
async function outcome(
  respond: Respond,
  act: (opened: Opened) => Promise<WriteResult>,
): Promise<unknown> {
  let result: unknown;
  await withCluster(async (opened) => {
    opened.server.respond = respond;
    result = await act(opened).catch((error: unknown) => error);
  });
  return result;
}

const create = ({ api }: Pick<Opened, "api">) => api.create(services, web, write);
const patch = ({ api }: Pick<Opened, "api">) => api.patch(services, ref, {}, asked, write);
const replace = ({ api }: Pick<Opened, "api">) => api.replace(services, web, write);
const remove = ({ api }: Pick<Opened, "api">) => api.delete(services, ref, asked, write);

describe("KubeClient list", () => {
  it("asks for one page and gives the server's objects untouched", async () => {
    await withCluster(async ({ api, server }) => {
      const item = { ...web, spec: { futureField: 1 } };
      const metadata = { resourceVersion: "9", continue: "next" };
      server.respond = answers(200, { kind: "ServiceList", metadata, items: [item] });

      const options = { namespace: "shop", labelSelector: "a=b", limit: 500, continueToken: "c/1" };
      const list = await api.list(services, options, never);

      expect(list).toEqual({ items: [item], resourceVersion: "9", continueToken: "next" });
      expect(server.seen[0]).toMatchObject({
        method: "GET",
        url: "/api/v1/namespaces/shop/services?labelSelector=a%3Db&limit=500&continue=c%2F1",
        headers: { accept: "application/json", "user-agent": "svc-ferry/dev" },
      });
    });
  });

  it("asks for metadata only as the API server spells it", async () => {
    await withCluster(async ({ api, server }) => {
      const metadata = { resourceVersion: "9" };
      server.respond = answers(200, { kind: "PartialObjectMetadataList", metadata, items: null });

      await api.list(services, { metadataOnly: true }, never);

      expect(server.seen[0]?.headers.accept).toBe(
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
      );
    });
  });

  it("does not take a proxy's page for an empty list", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = raw(200, "<html>log in</html>");

      await expect(api.list(services, {}, never)).rejects.toMatchObject({ code: "FERRY-K007" });
    });
  });
});

describe("KubeClient with objects that are encoded already", () => {
  const object = {
    ...ref,
    encoding: "application/vnd.kubernetes.protobuf",
    bytes: Buffer.from("k8s\0…", "utf8"),
  } as const;

  it.each([
    ["createEncoded", "POST", "/api/v1/namespaces/shop/services"],
    ["replaceEncoded", "PUT", "/api/v1/namespaces/shop/services/web"],
  ] as const)("%s sends the very bytes and asks for JSON back", async (verb, method, url) => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, web);

      const result = await api[verb](services, object, write);

      expect(result).toEqual({ kind: "done", object: web });
      expect(server.seen[0]).toMatchObject({
        method,
        url,
        headers: { accept: "application/json", "content-type": object.encoding },
        body: "k8s\0…",
      });
    });
  });

  it("only asks what a replaced object would be", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, web);

      const result = await api.replaceEncoded(services, object, { ...write, dryRun: true });

      expect(result).toEqual({ kind: "done", object: web });
      expect(server.seen[0]).toMatchObject({
        method: "PUT",
        url: "/api/v1/namespaces/shop/services/web?dryRun=All",
      });
    });
  });

  it("names the fields that the server complains of", async () => {
    const causes = { causes: [{ field: "spec.ports" }, { field: "spec.ports" }, { field: "" }] };
    const act = ({ api }: Opened) => api.createEncoded(services, object, write);

    const result = await outcome(answers(422, status(422, "Invalid", causes)), act);

    expect(result).toMatchObject({ kind: "invalid", fields: ["spec.ports"] });
  });
});

describe("KubeClient get", () => {
  it("reads what has to be fresh over a connection of its own, which is not counted", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, web);
      await api.get(services, ref, never);

      for (const fresh of [true, true, false]) await api.get(services, ref, never, { fresh });

      expect(server.connections).toBe(3);
      expect(server.seen.map(({ headers }) => headers.connection)).toEqual([
        "keep-alive",
        "close",
        "close",
        "keep-alive",
      ]);
      expect(api.connections).toBe(1);
    });
  });

  it("gives the object", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, web);

      expect(await api.get(services, ref, never)).toEqual(web);
      expect(server.seen[0]?.url).toBe("/api/v1/namespaces/shop/services/web");
    });
  });

  it("says undefined for a NotFound of this very name", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(404, status(404, "NotFound", { name: "web", kind: "services" }));

      expect(await api.get(services, ref, never)).toBeUndefined();
    });
  });

  it.each([
    ["a NotFound of another name", JSON.stringify(status(404, "NotFound", { name: "db" }))],
    ["a NotFound without a name", JSON.stringify(status(404, "NotFound"))],
    ["a proxy's 404", "404 page not found"],
    ["an empty 404", ""],
  ])("does not take %s as evidence", async (_what, body) => {
    await withCluster(async ({ api, server }) => {
      server.respond = raw(404, body);

      await expect(api.get(services, ref, never)).rejects.toMatchObject({
        name: "RetryableError",
        code: "FERRY-K007",
      });
    });
  });

  it("does not take another object for the one asked for", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, { metadata: { name: "db" } });

      await expect(api.get(services, ref, never)).rejects.toMatchObject({ code: "FERRY-K007" });
    });
  });
});

describe("KubeClient writes", () => {
  it("create posts the object to its collection", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(201, { ...web, extra: 1 });

      expect(await create({ api })).toEqual({
        kind: "done",
        object: { ...web, extra: 1 },
      });
      expect(server.seen[0]).toMatchObject({
        method: "POST",
        url: "/api/v1/namespaces/shop/services",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(web),
      });
    });
  });

  it("patch sends a merge patch that carries its preconditions and keeps explicit nulls", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, web);

      const change = { metadata: { labels: { gone: null } }, spec: { ports: [] } };
      await api.patch(services, ref, change, asked, write);

      expect(server.seen[0]).toMatchObject({
        method: "PATCH",
        url: "/api/v1/namespaces/shop/services/web",
        headers: { "content-type": "application/merge-patch+json" },
      });
      expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
        metadata: { labels: { gone: null }, uid: "u1", resourceVersion: "7" },
        spec: { ports: [] },
      });
    });
  });

  it("delete carries its preconditions and asks for background propagation", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = answers(200, { kind: "Status", status: "Success" });

      const result = await api.delete(services, ref, { uid: "u1" }, write);

      expect(result).toEqual({ kind: "done", object: undefined });
      expect(server.seen[0]?.method).toBe("DELETE");
      expect(JSON.parse(server.seen[0]?.body ?? "")).toMatchObject({
        kind: "DeleteOptions",
        preconditions: { uid: "u1" },
        propagationPolicy: "Background",
      });
    });
  });

  it("replace refuses an object without resource version: it would overwrite blindly", async () => {
    await withCluster(async ({ api, server }) => {
      const blind = { metadata: { name: "web", namespace: "shop" } };

      await expect(api.replace(services, blind, write)).rejects.toMatchObject({
        code: "FERRY-K011",
      });
      expect(server.seen).toEqual([]);
    });
  });

  const exists = status(409, "AlreadyExists", { name: "web" });
  const leaving = status(409, "AlreadyExists", {}, 'object is being deleted: services "web" …');
  const lost = 'Operation cannot be fulfilled on resourcequotas "few": please try again';
  const quota = status(409, "Conflict", { name: "few", kind: "resourcequotas" }, lost);
  const noSpace = status(404, "NotFound", { name: "shop", kind: "namespaces" });
  const gone = status(404, "NotFound", { name: "web", kind: "services" });
  const closing = { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] };
  const otherUid = { causes: [{ reason: "FieldValueInvalid", field: "metadata.uid" }] };

  it.each<[string, typeof create, number, unknown, object]>([
    ["create", create, 409, exists, { kind: "already-exists" }],
    ["create", create, 409, leaving, { kind: "already-exists" }],
    ["create", create, 409, quota, { name: "RetryableError", code: "FERRY-K006" }],
    ["create", create, 404, noSpace, { kind: "not-found" }],
    ["create", create, 403, status(403, "Forbidden", closing), { kind: "terminating" }],
    ["create", create, 422, status(422, "Invalid", {}, "bad port"), { message: "bad port" }],
    ["create", create, 400, status(400, "BadRequest"), { kind: "invalid" }],
    ["patch", patch, 409, status(409, "Conflict"), { kind: "conflict" }],
    ["patch", patch, 422, status(422, "Invalid", otherUid), { kind: "conflict" }],
    ["patch", patch, 422, status(422, "Invalid"), { kind: "invalid" }],
    ["patch", patch, 404, gone, { kind: "not-found" }],
    ["replace", replace, 409, status(409, "Conflict"), { kind: "conflict" }],
    ["replace", replace, 404, gone, { kind: "not-found" }],
    ["delete", remove, 409, status(409, "Conflict"), { kind: "conflict" }],
    ["delete", remove, 404, gone, { kind: "not-found" }],
    ["create", create, 403, status(403, "Forbidden"), { code: "FERRY-K006" }],
    ["create", create, 404, status(404, "NotFound", { name: "x" }), { code: "FERRY-K007" }],
    ["patch", patch, 404, noSpace, { code: "FERRY-K007" }],
    ["delete", remove, 404, "page not found", { code: "FERRY-K007" }],
    ["patch", patch, 415, {}, { name: "TerminalError", code: "FERRY-K011" }],
    ["create", create, 201, { metadata: {} }, { code: "FERRY-K007" }],
    ["create", create, 500, {}, { code: "FERRY-K004" }],
  ])("%s answered with %3$i %4$j becomes %5$j", async (_verb, act, code, body, expected) => {
    expect(await outcome(answers(code, body), act)).toMatchObject(expected);
  });

  const leaves = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["example.com/wait"] };
  const waiting = { ...web, metadata: { ...web.metadata, ...leaves } };

  it.each<[string, unknown, KubeObject | undefined]>([
    ["what waits for its finalizers", waiting, waiting],
    ["nothing of what it took away", web, undefined],
    ["nothing where the server answers with a Status", { kind: "Status" }, undefined],
  ])("delete gives %s", async (_what, body, object) => {
    expect(await outcome(answers(200, body), remove)).toEqual({ kind: "done", object });
  });

  it("passes on how long a 429 asks to wait", async () => {
    const busy = answers(429, status(429, "TooManyRequests"), { "retry-after": "2" });

    expect(await outcome(busy, create)).toMatchObject({ code: "FERRY-K003", retryAfterMs: 2000 });
  });

  it("reuses its connection, after a delete too", async () => {
    await withCluster(
      async ({ api, server }) => {
        server.respond = answers(200, { kind: "Status", status: "Success" });

        await remove({ api });
        await remove({ api });
        await remove({ api });

        expect([server.connections, api.connections]).toEqual([1, 1]);
      },
      { cluster: { maxConnections: 1 } },
    );
  });
});

describe("KubeClient watch", () => {
  const options = { resourceVersion: "5", timeoutSeconds: 300, stallMs: 90_000 };

  function event(type: string, object: unknown): string {
    return `${JSON.stringify({ type, object })}\n`;
  }

  it("asks for bookmarks from a resource version on and ends when the server does", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = raw(200, event("ADDED", web) + event("DELETED", web));
      const kinds: string[] = [];

      const narrowed = { ...options, namespace: "shop", metadataOnly: true };
      await api.watch(services, narrowed, (each) => kinds.push(each.kind), never);

      expect(kinds).toEqual(["added", "deleted"]);
      expect(server.seen[0]).toMatchObject({
        url: "/api/v1/namespaces/shop/services?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=300",
        headers: { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" },
      });
    });
  });

  it("resolves when its signal aborts, and delivers nothing afterwards", async () => {
    await withCluster(async ({ api, server }) => {
      const stop = new AbortController();
      const events: WatchEvent[] = [];
      server.respond = (_seen, response) =>
        response.writeHead(200).write(event("ADDED", web) + event("DELETED", web));

      const watching = api.watch(
        services,
        options,
        (each) => {
          events.push(each);
          stop.abort();
        },
        stop.signal,
      );
      await watching;

      expect(events.map((each) => each.kind)).toEqual(["added"]);
    });
  });

  it("ends with FERRY-K010 after the stall time without a byte, counted from the last one", async () => {
    await withCluster(async ({ api, server, clock }) => {
      const arrived = Promise.withResolvers<void>();
      let stream: ServerResponse | undefined;
      server.respond = (_seen, response) => {
        stream = response;
        response.writeHead(200).flushHeaders();
      };
      const watching = api.watch(services, options, () => arrived.resolve(), never);
      const ended = watching.catch((error: unknown) => error);
      await server.received(1);
      clock.advance(80_000);
      stream?.write(event("ADDED", web));
      await arrived.promise;

      clock.advance(10_000);
      await clock.someoneSleeps();
      clock.advance(79_999);
      const sleepingStill = clock.sleeping;
      clock.advance(1);

      expect(sleepingStill).toBe(1);
      expect(await ended).toMatchObject({ code: "FERRY-K010" });
    });
  });

  it("throws 410 as FERRY-K008, as an answer and as an event", async () => {
    await withCluster(async ({ api, server }) => {
      const watch = () => api.watch(services, options, () => {}, never);

      server.respond = answers(410, status(410, "Expired"));
      await expect(watch()).rejects.toMatchObject({ code: "FERRY-K008" });

      server.respond = raw(200, event("ERROR", status(410, "Expired")));
      await expect(watch()).rejects.toMatchObject({ code: "FERRY-K008" });
    });
  });

  it("throws FERRY-K001 when the connection breaks, without the half event", async () => {
    await withCluster(async ({ api, server }) => {
      const events: WatchEvent[] = [];
      server.respond = (_seen, response) => {
        response.writeHead(200).write(event("ADDED", web) + '{"type":"DELETED"');
      };

      const watching = api.watch(
        services,
        options,
        (each) => {
          events.push(each);
          server.server.closeAllConnections();
        },
        never,
      );

      await expect(watching).rejects.toMatchObject({ code: "FERRY-K001" });
      expect(events).toHaveLength(1);
    });
  });

  it("lets an error of its handler pass through", async () => {
    await withCluster(async ({ api, server }) => {
      const broken = new Error("broken handler");
      server.respond = (_seen, response) => response.writeHead(200).write(event("ADDED", web));

      const watching = api.watch(
        services,
        options,
        () => {
          throw broken;
        },
        never,
      );

      await expect(watching).rejects.toBe(broken);
    });
  });

  it("does not take a connection away from requests", async () => {
    await withCluster(
      async ({ api, server }) => {
        const stop = new AbortController();
        server.respond = (seen, response) =>
          seen.url.includes("watch")
            ? response.writeHead(200).flushHeaders()
            : json(response, 200, web);
        const watches = [1, 2, 3].map(() => api.watch(services, options, () => {}, stop.signal));
        await server.received(3);

        expect(await api.get(services, ref, never)).toEqual(web);

        stop.abort();
        await Promise.all(watches);
      },
      { cluster: { maxConnections: 1 } },
    );
  });
});
