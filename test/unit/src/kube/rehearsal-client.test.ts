import { describe, expect, it } from "vitest";
import { json, status } from "./fixture/fake-api-server.js";
import { never, services, withCluster } from "./fixture/opened.js";

const WEB = { metadata: { name: "web", namespace: "shop" } };
const REF = { namespace: "shop", name: "web" };

describe("a rehearsal", () => {
  it("asks for a dry run, and gives what would be stored with the warnings as kubectl shows them", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = (_seen, response) =>
        json(response, 201, WEB, {
          warning: ['299 - "say \\"hello\\" to \\\\"', "199 - other"] as unknown as string,
        });

      const rehearsed = await api.rehearsal.create(services, WEB, never);

      expect(rehearsed).toEqual({
        result: { kind: "done", object: WEB },
        warnings: ['say "hello" to \\'],
      });
      expect(server.seen[0]).toMatchObject({
        method: "POST",
        url: "/api/v1/namespaces/shop/services?dryRun=All",
      });
    });
  });

  it("patches without preconditions, and gives refusals as a write in earnest would", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = (_seen, response) =>
        json(response, 422, status(422, "Invalid", {}, "spec is wrong"), {});

      const { result } = await api.rehearsal.patch(services, REF, { spec: {} }, never);

      expect(result).toEqual({ kind: "invalid", message: "spec is wrong", fields: [] });
      expect(server.seen[0]).toMatchObject({
        method: "PATCH",
        url: "/api/v1/namespaces/shop/services/web?dryRun=All",
        headers: { "content-type": "application/merge-patch+json" },
      });
    });
  });

  it("throws what a write would throw", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = (_seen, response) =>
        json(response, 403, status(403, "Forbidden", {}, "exceeded quota"), {});

      await expect(api.rehearsal.create(services, WEB, never)).rejects.toMatchObject({
        code: "FERRY-K006",
      });
    });
  });
});

describe("a plain question", () => {
  it("gives the answer whatever its status, with the server's time", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = (_seen, response) =>
        response
          .writeHead(503, { date: "Sun, 06 Nov 1994 08:49:37 GMT", "content-type": "text/plain" })
          .end("not ready");

      const answer = await api.raw.ask({ method: "GET", path: "/readyz" }, never);

      expect(answer).toEqual({
        status: 503,
        body: "not ready",
        dateMs: Date.parse("1994-11-06T08:49:37Z"),
      });
    });
  });

  it("sends a body as JSON and reads one", async () => {
    await withCluster(async ({ api, server }) => {
      server.respond = (_seen, response) => json(response, 201, { status: { allowed: true } }, {});

      const body = { kind: "SelfSubjectAccessReview" };
      const answer = await api.raw.ask({ method: "POST", path: "/apis/x", body }, never);

      expect(answer).toMatchObject({ status: 201, body: { status: { allowed: true } } });
      expect(server.seen[0]).toMatchObject({ method: "POST", body: JSON.stringify(body) });
    });
  });
});
