import { describe, expect, it } from "vitest";
import { json, type Respond, status } from "../fixture/fake-api-server.js";
import { never, type Opened, services, withCluster } from "../fixture/opened.js";
import { admit, type Admitted } from "./fixture/authenticator.js";
import { FakeAws } from "./fixture/fake-aws.js";

const MINUTE_MS = 60_000;
const web = { metadata: { name: "web", namespace: "shop" } };
const ref = { namespace: "shop", name: "web" };
const exec = {
  apiVersion: "client.authentication.k8s.io/v1beta1",
  command: "aws",
  args: ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "blue", "--output", "json"],
  env: [{ name: "AWS_EC2_METADATA_DISABLED", value: "false" }],
};

/** An API server that admits as an EKS cluster does, and an environment without any program in it. */
async function withEks(run: (opened: Opened, aws: FakeAws, admitted: Admitted[]) => Promise<void>) {
  const aws = await FakeAws.start();
  const { env } = aws;
  const admitted: Admitted[] = [];
  try {
    await withCluster(
      async (opened) => {
        opened.server.respond = admitting(opened, admitted);
        await run(opened, aws, admitted);
      },
      {
        user: { exec },
        deps: { env: { ...env, PATH: "/nowhere", AWS_EC2_METADATA_DISABLED: "true" } },
      },
    );
  } finally {
    await aws.stop();
  }
}

/** Keys of FakeAws say themselves which secret is theirs. */
function admitting({ clock }: Opened, admitted: Admitted[]): Respond {
  return ({ headers, url: path }, response) => {
    const token = String(headers.authorization).replace("Bearer ", "");
    const url = Buffer.from(token.slice("k8s-aws-v1.".length), "base64url").toString();
    const [, number = ""] = /Credential=ASIA(\d+)/.exec(url) ?? [];
    const secret = `secret-${number}`;
    try {
      admitted.push(admit(token, "blue", secret, clock.now()));
    } catch (error) {
      return json(response, 401, status(401, "Unauthorized", {}, String(error)));
    }
    json(response, 200, path.endsWith("/kube-system") ? { metadata: { uid: "blue" } } : web);
  };
}

describe("the exec stanza of an EKS cluster", () => {
  it("is answered without the program, with the variables of the stanza", async () => {
    await withEks(async ({ api }, _aws, admitted) => {
      expect(await api.get(services, ref, never)).toEqual(web);
      expect(admitted).toEqual([
        { host: "sts.eu-west-1.amazonaws.com", accessKeyId: "ASIA1", sessionToken: "session-1" },
      ]);
    });
  });

  it("has keys asked for once for all who wait", async () => {
    await withEks(async ({ api }, aws) => {
      await Promise.all([1, 2, 3, 4].map(() => api.get(services, ref, never)));

      expect(aws.asked.filter((line) => line.endsWith("node-role"))).toHaveLength(1);
    });
  });

  it("gives tokens that are always younger than 14 minutes, of keys that are not asked for each time", async () => {
    await withEks(async ({ api, clock, server }, aws, admitted) => {
      for (let minute = 0; minute < 50; minute++) {
        await api.get(services, ref, never);
        clock.advance(MINUTE_MS);
      }

      const sent = server.seen.map(({ headers }) => headers.authorization);
      expect(admitted).toHaveLength(server.seen.length);
      expect(new Set(sent).size).toBeGreaterThanOrEqual(4);
      expect(aws.asked.filter((line) => line.endsWith("node-role"))).toHaveLength(1);
    });
  });

  it("has keys asked for anew before they end", async () => {
    await withEks(async ({ api, clock }, aws, admitted) => {
      for (let minute = 0; minute < 70; minute++) {
        await api.get(services, ref, never);
        aws.expiration = "2026-01-01T02:00:00Z";
        clock.advance(MINUTE_MS);
      }

      await expect
        .poll(async () => {
          clock.advance(MINUTE_MS);
          await api.get(services, ref, never);
          return admitted.at(-1)?.accessKeyId;
        })
        .toBe("ASIA2");
    });
  });

  it("that the server refuses has new keys at once", async () => {
    await withEks(async ({ api, server }, _aws, admitted) => {
      await api.get(services, ref, never);
      const admit = server.respond;
      server.respond = (_seen, response) => {
        server.respond = admit;
        json(response, 401, status(401, "Unauthorized"));
      };

      expect(await api.get(services, ref, never)).toEqual(web);
      expect(admitted.at(-1)?.accessKeyId).toBe("ASIA2");
    });
  });

  it("that nobody can answer says what was looked at, for which cluster", async () => {
    await withEks(async ({ api }, aws) => {
      aws.instanceRole = undefined;

      await expect(api.get(services, ref, never)).rejects.toMatchObject({
        name: "RetryableError",
        code: "FERRY-K005",
        message: expect.stringMatching(
          /^EKS cluster blue: AWS: no AWS credentials\. environment: .*; instance metadata: /,
        ),
      });
    });
  });
});
