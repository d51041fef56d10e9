import { beforeEach, describe, expect, it } from "vitest";
import type { UnaryCall } from "../../../../sidecar/etcd/connection.js";
import { Writer } from "../../../../sidecar/etcd/protobuf-writer.js";
import { Token } from "../../../../sidecar/etcd/token.js";

/** Gives out token-1, token-2 and so on, and keeps what it was asked with. */
class FakeCalls {
  readonly requests: string[] = [];

  async unary<T>({ request, decode }: UnaryCall<T>): Promise<T> {
    this.requests.push(request.finish().toString("latin1"));
    return decode(new Writer().text(2, `token-${this.requests.length}`).finish());
  }
}

describe("the token of a user", () => {
  let calls: FakeCalls;
  let password: () => Promise<string>;
  let token: Token;
  beforeEach(() => {
    calls = new FakeCalls();
    password = async () => "first";
    const user = { name: "mirror", password: () => password() };
    token = new Token({ user, callTimeoutMs: 1_000 });
  });
  const fetched = (): Promise<string | undefined> => token.on({ calls });

  it("is fetched once for all who need it", async () => {
    expect(await Promise.all([fetched(), fetched()])).toEqual(["token-1", "token-1"]);
    expect(await fetched()).toBe("token-1");
  });

  it("is fetched once more for all who were refused the old one, however late they hear of it", async () => {
    const old = await fetched();

    token.refused(old);
    const next = fetched();
    token.refused(old);
    const another = fetched();
    await next;
    token.refused(old);

    expect([await next, await another, await fetched()]).toEqual(["token-2", "token-2", "token-2"]);
    expect(calls.requests).toHaveLength(2);
  });

  it("is fetched with the password as it is then", async () => {
    const old = await fetched();
    password = async () => "second";

    token.refused(old);
    await fetched();

    expect(calls.requests).toEqual([
      expect.stringContaining("first"),
      expect.stringContaining("second"),
    ]);
  });

  it("cannot be had without a password, and can as soon as there is one", async () => {
    password = () => Promise.reject(new Error("ENOENT"));
    await expect(fetched()).rejects.toMatchObject({ name: "EtcdError", kind: "auth" });

    password = async () => "first";

    expect(await fetched()).toBe("token-1");
  });
});
