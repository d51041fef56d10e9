import { describe, expect, it } from "vitest";
import type { ClusterOptions } from "../../../../src/kube/open-cluster.js";
import { json, status } from "./fixture/fake-api-server.js";
import { never, services, withCluster } from "./fixture/opened.js";

/** The User-Agent that the API server sees. */
async function userAgentOf(cluster: Partial<ClusterOptions>): Promise<string | undefined> {
  const seen: (string | undefined)[] = [];
  await withCluster(
    async ({ api, server }) => {
      server.respond = (request, response) => {
        seen.push(request.headers["user-agent"]);
        json(response, 404, status(404, "NotFound", { kind: "services", name: "b" }));
      };
      await api.get(services, { namespace: "a", name: "b" }, never);
    },
    { cluster },
  );
  return seen[0];
}

describe("openCluster", () => {
  it.each([
    ["an ordinary name", "svc-ferry-7d9f-x2x", "svc-ferry-7d9f-x2x"],
    ["line breaks that would begin another header", "pod\r\nx-evil: 1", "pod??x-evil: 1"],
    ["parentheses that would end the comment", "pod) curl/8 (x", "pod? curl/8 ?x"],
    ["a backslash that would quote what follows", "pod\\", "pod?"],
    ["tabs, NUL and DEL", "a\tb\u0000c\u007fd", "a?b?c?d"],
    ["letters beyond ASCII", "pöd-界", "p?d-?"],
    ["a character of two code units", "pod-🚢", "pod-??"],
    ["nothing", "", ""],
  ])("writes a pod's name into the User-Agent though it holds %s", async (_, pod, written) => {
    const agent = await userAgentOf({ version: "1.2.3", comment: `${pod}; 0123456789abcdef` });

    expect(agent).toBe(`svc-ferry/1.2.3 (${written}; 0123456789abcdef)`);
  });

  it("has no comment in the User-Agent when there is none to write", async () => {
    expect(await userAgentOf({})).toBe("svc-ferry/dev");
  });
});
