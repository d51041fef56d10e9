import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identityKeys, type Identity } from "../../../../../src/kube/aws/chain.js";
import { Sts } from "../../../../../src/kube/aws/sts.js";
import { ManualClock } from "../fixture/manual-clock.js";
import { type Scratch, withScratch } from "../fixture/opened.js";
import { FakeAws } from "./fixture/fake-aws.js";

let aws: FakeAws;
let clock: ManualClock;
const nobody: Identity = { profile: undefined, role: undefined };
const role = { arn: "arn:aws:iam::1:role/r", sessionName: "s" };
const static1 = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s3cret" };

beforeEach(async () => {
  clock = new ManualClock(Date.parse("2026-01-01T00:00:00Z"));
  aws = await FakeAws.start();
});
afterEach(async () => {
  await aws.stop();
});

async function keysOf(env: Readonly<Record<string, string>>, identity = nobody) {
  const whole = { ...aws.env, ...env };
  return identityKeys(identity, { env: whole, clock, sts: new Sts("eu-west-1", whole, clock) });
}

/** Keys with these two shared files. */
async function withFiles(
  files: { readonly config?: string; readonly credentials?: string },
  run: (env: Readonly<Record<string, string>>, scratch: Scratch) => Promise<void>,
): Promise<void> {
  await withScratch(async (scratch) => {
    const env = {
      AWS_CONFIG_FILE: await scratch.write("aws-config", files.config ?? ""),
      AWS_SHARED_CREDENTIALS_FILE: await scratch.write("aws-credentials", files.credentials ?? ""),
    };
    await run(env, scratch);
  });
}

describe("keys from the environment", () => {
  it("come before all others and ask nobody", async () => {
    const keys = await keysOf({ ...static1, AWS_SESSION_TOKEN: "t" });

    expect(keys).toMatchObject({ accessKeyId: "AKID", sessionToken: "t", endsAtMs: undefined });
    expect(aws.asked).toEqual([]);
  });

  it("are refused when only half of them is there", async () => {
    await expect(keysOf({ AWS_ACCESS_KEY_ID: "AKID" })).rejects.toThrow("only one is set");
  });

  it("do not count when a profile is asked for", async () => {
    const credentials = "[p]\naws_access_key_id = FILE\naws_secret_access_key = f\n";
    await withFiles({ credentials }, async (env) => {
      const keys = await keysOf({ ...static1, ...env }, { ...nobody, profile: "p" });

      expect(keys.accessKeyId).toBe("FILE");
    });
  });

  it("become a role with one more question, signed with them", async () => {
    const keys = await keysOf(static1, { ...nobody, role: { ...role, externalId: "ext" } });

    expect(keys).toMatchObject({ accessKeyId: "ASIA1", sessionToken: "session-1" });
    expect(aws.asked).toEqual([`POST / AssumeRole ${role.arn}`]);
    expect(aws.server.seen[0]?.body).toContain("ExternalId=ext");
    expect(aws.server.seen[0]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20260101\/eu-west-1\/sts\/aws4_request/,
    );
  });
});

describe("keys from shared files", () => {
  it("are those of the default profile, the credentials file's first", async () => {
    const files = {
      config:
        "[default]\nregion=eu-west-1\naws_access_key_id=CONFIG\ns3 =\n  aws_secret_access_key=no\n",
      credentials:
        "# mine\n[default]\naws_access_key_id = FILE ; new\naws_secret_access_key = f=/\n",
    };
    await withFiles(files, async (env) => {
      expect(await keysOf(env)).toMatchObject({ accessKeyId: "FILE", secretAccessKey: "f=/" });
    });
  });

  it("are a role on top of another profile", async () => {
    const config = [
      "[profile deploy]",
      `role_arn = ${role.arn}`,
      "source_profile = base",
      "[profile base]",
      "aws_access_key_id = BASE",
      "aws_secret_access_key = b",
    ].join("\n");
    await withFiles({ config }, async (env) => {
      const keys = await keysOf({ ...env, AWS_PROFILE: "deploy" });

      expect(keys.accessKeyId).toBe("ASIA1");
      expect(aws.server.seen[0]?.headers.authorization).toContain("Credential=BASE/");
    });
  });

  it.each([
    ["credential_process = /bin/keys", 'profile "default" uses credential_process'],
    ["sso_session = corp", 'profile "default" uses sso_session'],
    ["role_arn = r\nsource_profile = other", 'names the source_profile "other"'],
    ["role_arn = r\ncredential_source = Elsewhere", "without a usable source (Elsewhere)"],
  ])("say what of %j cannot be used", async (settings, message) => {
    await withFiles({ config: `[default]\n${settings}\n` }, async (env) => {
      await expect(keysOf(env)).rejects.toThrow(message);
    });
  });

  it("end at a circle of profiles", async () => {
    const config =
      "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n";
    await withFiles({ config }, async (env) => {
      const keys = keysOf({ ...env, AWS_PROFILE: "a" });

      await expect(keys).rejects.toThrow('profile "a" is a source of itself');
    });
  });

  it("say so when the profile is not there", async () => {
    await expect(keysOf({ AWS_PROFILE: "gone" })).rejects.toThrow('no profile "gone"');
  });
});

describe("keys for a web identity (IRSA)", () => {
  it("are had with the token as it is now, and no signature", async () => {
    await withScratch(async ({ write }) => {
      const file = await write("token", "jwt-1\n");
      const env = { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role.arn };

      const keys = await keysOf(env);
      await write("token", "jwt-2\n");
      await keysOf(env);

      expect(keys).toMatchObject({ accessKeyId: "ASIA1", endsAtMs: clock.now() + 3_600_000 });
      expect(aws.asked[0]).toBe(`POST / AssumeRoleWithWebIdentity ${role.arn}`);
      expect(aws.server.seen.map(({ headers }) => headers.authorization)).toEqual([
        undefined,
        undefined,
      ]);
      expect(aws.server.seen.map(({ body }) => /WebIdentityToken=([^&]*)/.exec(body)?.[1])).toEqual(
        ["jwt-1", "jwt-2"],
      );
    });
  });

  it("that are refused end the chain with STS's words, and no word of the token", async () => {
    await withScratch(async ({ write }) => {
      const file = await write("token", "s3cret-jwt");
      aws.refusal = { code: "AccessDenied", message: "Not authorized to perform &quot;it&quot;" };

      const keys = keysOf({ AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role.arn });

      await expect(keys).rejects.toThrow(
        `AWS credentials from web identity (IRSA): sts:AssumeRoleWithWebIdentity on ${role.arn} failed: 403 AccessDenied Not authorized to perform "it"`,
      );
      await expect(keys).rejects.not.toThrow("s3cret");
    });
  });

  it("are not asked for over plain http beyond this machine", async () => {
    await withScratch(async ({ write }) => {
      const keys = keysOf({
        AWS_WEB_IDENTITY_TOKEN_FILE: await write("token", "jwt"),
        AWS_ROLE_ARN: role.arn,
        AWS_ENDPOINT_URL_STS: "http://sts.example.invalid",
      });

      await expect(keys).rejects.toThrow("must begin with https://");
    });
  });
});

describe("keys from a container's agent (Pod Identity)", () => {
  it("are had with the token as it is now", async () => {
    await withScratch(async ({ write }) => {
      const env = {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.server.url}/pod-identity`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await write("token", "pod-token\n"),
      };

      expect(await keysOf(env)).toMatchObject({ accessKeyId: "ASIA1", sessionToken: "session-1" });
      await write("token", "stale");
      await expect(keysOf(env)).rejects.toThrow("answered 401 AccessDenied not authorized");
    });
  });

  it.each([
    "http://10.0.0.1/",
    "http://localhost.evil.test/",
    "http://127.evil.test/",
    "ftp://[::1]/",
  ])("are not asked for at %s", async (uri) => {
    await expect(keysOf({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri })).rejects.toThrow(
      "which may be asked over https only",
    );
  });
});

describe("keys of the instance (IMDSv2)", () => {
  it("come last, within a session", async () => {
    expect(await keysOf({})).toMatchObject({ accessKeyId: "ASIA1" });
    expect(aws.asked).toEqual([
      "PUT /latest/api/token",
      "GET /latest/meta-data/iam/security-credentials/",
      "GET /latest/meta-data/iam/security-credentials/node-role",
    ]);
  });

  it("that are not there end in a list of all that was looked at", async () => {
    aws.instanceRole = undefined;

    await expect(keysOf({})).rejects.toThrow(
      "no AWS credentials. environment: AWS_ACCESS_KEY_ID is not set; " +
        'shared config files: there is no profile "default"; ' +
        "web identity (IRSA): AWS_WEB_IDENTITY_TOKEN_FILE is not set; " +
        "container (Pod Identity): AWS_CONTAINER_CREDENTIALS_FULL_URI is not set; " +
        "instance metadata: the instance has no role",
    );
  });

  it("beyond the hop limit are given up after a second, with what to do", async () => {
    aws.server.respond = () => {};
    const asking = keysOf({}).catch((error: unknown) => error);
    await aws.server.received(1);

    clock.advance(1_000);

    expect(String(await asking)).toMatch(/no answer within 1 s; on EC2 .* hop limit of 2/);
  });

  it("are not looked for when that is turned off", async () => {
    await expect(keysOf({ AWS_EC2_METADATA_DISABLED: "true" })).rejects.toThrow(
      "AWS_EC2_METADATA_DISABLED is true",
    );
    expect(aws.asked).toEqual([]);
  });
});

describe("STS", () => {
  it("that does not like the signature: the clock is named when it is wrong, what was signed is not", async () => {
    aws.date = "Thu, 01 Jan 2026 00:20:00 GMT";
    aws.refusal = {
      code: "SignatureDoesNotMatch",
      message: "Signature expired: it is old\nThe Canonical String was: s3cret-session",
    };
    const behind = new ManualClock(Date.parse("2026-01-01T00:00:00Z"));
    const env = { ...aws.env, ...static1 };
    const sts = new Sts("eu-west-1", env, behind);

    const keys = identityKeys({ ...nobody, role }, { env, clock: behind, sts });

    await expect(keys).rejects.toThrow(
      /403 SignatureDoesNotMatch Signature expired: it is old; this machine's clock is 1200 s behind: fix NTP$/,
    );
  });
});
