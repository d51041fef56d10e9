import { describe, expect, it, onTestFinished } from "vitest";
import { prefixEnd } from "../../../../sidecar/etcd/etcd.js";
import { MirrorPair, put } from "../../../harness/mirror-pair.js";
import { waitFor } from "../../../harness/wait-for.js";

const RULES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }] }
`;
const CALL = { signal: new AbortController().signal };

describe("two directions on real etcds", () => {
  it("never loop: every object is written once, by the link that found it first", async () => {
    const pair = await MirrorPair.start();
    onTestFinished(() => pair.stop(), 15_000);
    const { source, destination } = pair;
    await pair.write(source, put("namespaces/shop"));
    await pair.write(destination, put("namespaces/shop"));
    const options = { rules: RULES, policy: { onConflict: "adopt" as const } };
    await pair.follow(options);
    await pair.follow({ ...options, link: "back", source: destination, destination: source });

    for (let at = 0; at < 100; at += 1) {
      await pair.put(`configmaps/shop/from-a-${at}`, { data: { at } });
      await pair.write(destination, put(`configmaps/shop/from-b-${at}`, { data: { at } }));
    }
    const isEqual = async () => {
      const [a, b] = [await pair.objects(source), await pair.objects(destination)];
      return a.size === 201 && b.size === 201;
    };
    await waitFor(isEqual, { what: "all objects on both sides" });
    await pair.put("configmaps/shop/from-a-0", { data: { at: "changed" } });
    const isChanged = async () => {
      const object = (await pair.objects()).get("configmaps/shop/from-a-0");
      return JSON.stringify(object?.data) === '{"at":"changed"}';
    };
    await waitFor(isChanged, { what: "the change" });

    const owned = async (etcd: typeof source, link: string) => {
      const key = `/svc-ferry/${link}/own/`;
      const { kvs } = await etcd.range({ key, rangeEnd: prefixEnd(key), keysOnly: true }, CALL);
      return kvs.map((kv) => kv.key.slice(key.length));
    };
    const ofA = await owned(destination, "east");
    const ofB = await owned(source, "back");
    expect(ofA.filter((path) => !path.startsWith("configmaps/shop/from-a-"))).toEqual([]);
    expect(ofB.filter((path) => !path.startsWith("configmaps/shop/from-b-"))).toEqual([]);
    expect([ofA.length, ofB.length]).toEqual([100, 100]);
    const range = { key: "/registry/configmaps/", rangeEnd: "/registry/configmaps0" };
    const versions = await source.range(range, CALL);
    const changed = versions.kvs.filter(({ version }) => version > 1n).map(({ key }) => key);
    expect(changed).toEqual(["/registry/configmaps/shop/from-a-0"]);
  }, 60_000);
});
