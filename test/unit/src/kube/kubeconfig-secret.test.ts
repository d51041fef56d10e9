import { beforeEach, describe, expect, it } from "vitest";
import { keepInSecret } from "../../../../src/kube/kubeconfig-secret.js";
import type { KubeApi, KubeObject, WriteResult } from "../../../../src/ports/kube-api.js";

const ref = { namespace: "k8s-sync", name: "svc-ferry-destination" };

function secret(kubeconfig: string, resourceVersion = "7"): KubeObject & { readonly data: object } {
  const encoded = Buffer.from(kubeconfig).toString("base64");
  return {
    metadata: { ...ref, resourceVersion },
    data: { kubeconfig: encoded, other: "aGFuZHM=" },
  };
}

/** An API that has one Secret, and refuses so many writes to it because it changed meanwhile. */
class OneSecret {
  readonly written: KubeObject[] = [];
  stored: KubeObject | undefined = secret("token: old, again: old");
  conflicts = 0;

  readonly api = {
    cluster: "source",
    get: async () => this.stored,
    replace: async (_resource: unknown, object: KubeObject): Promise<WriteResult> => {
      if (this.conflicts > 0) {
        this.conflicts -= 1;
        return { kind: "conflict" };
      }
      this.written.push(object);
      return { kind: "done", object };
    },
  } as unknown as KubeApi;
}

let source: OneSecret;
beforeEach(() => {
  source = new OneSecret();
});

describe("keepInSecret", () => {
  it("exchanges the token wherever it stands, and nothing else, in the version that was read", async () => {
    await keepInSecret(source.api, ref)("old", "new");

    expect(source.written).toEqual([secret("token: new, again: new")]);
  });

  it("writes nothing when the token is no longer there: another replica was first", async () => {
    await keepInSecret(source.api, ref)("older", "new");

    expect(source.written).toEqual([]);
  });

  it("looks again when the Secret changed meanwhile, three times at most", async () => {
    source.conflicts = 2;
    await keepInSecret(source.api, ref)("old", "new");
    expect(source.written).toHaveLength(1);

    source.conflicts = 3;
    await expect(keepInSecret(source.api, ref)("old", "new")).rejects.toMatchObject({
      code: "FERRY-R001",
    });
  });

  it("says which Secret is missing", async () => {
    source.stored = undefined;

    await expect(keepInSecret(source.api, ref)("old", "new")).rejects.toThrow(
      "source: no Secret k8s-sync/svc-ferry-destination",
    );
  });
});
