import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemClock } from "../../../../src/runtime/system-clock.js";
import { ReadLog } from "../../../fakes/read-log.js";
import { MirrorPair, put } from "../../../harness/mirror-pair.js";

const RULES = `
filters:
  secondary:
    - group: ""
      resources: [{ group: "", version: v1, kind: ConfigMap }]
      namespaceSelectors: [{ matchLabels: { team: "yes" } }]
`;
const TEAM = { labels: { team: "yes" } };
const SIGNAL = new AbortController().signal;

describe("Mirror between two etcds", () => {
  let pair: MirrorPair;
  beforeEach(async () => {
    pair = await MirrorPair.start();
    await pair.put("namespaces/shop", TEAM);
    await pair.write(pair.destination, put("namespaces/shop"));
  });
  afterEach(() => pair.stop());

  it("removes what was deleted while it was away and its history is compacted, and leaves native keys alone", async () => {
    for (let at = 0; at < 20; at += 1) await pair.put(`configmaps/shop/c${at}`, { data: { at } });
    await pair.write(pair.destination, put("configmaps/shop/native"));
    const first = await pair.follow({ rules: RULES });
    await pair.applied(first);
    await first.stop();
    for (const name of ["c0", "c1", "c2"]) await pair.delete(`configmaps/shop/${name}`);
    for (const name of ["n0", "n1"]) await pair.put(`configmaps/shop/${name}`);
    const { revision } = await pair.source.revision({ signal: SIGNAL });
    await pair.source.compact(revision, { signal: SIGNAL });

    const second = await pair.follow({ rules: RULES });
    await pair.applied(second);

    const wanted = [...Array(17).keys()].map((at) => `configmaps/shop/c${at + 3}`);
    const names = [...(await pair.objects()).keys()];
    expect(names.toSorted()).toEqual(
      [
        ...wanted,
        "configmaps/shop/n0",
        "configmaps/shop/n1",
        "configmaps/shop/native",
        "namespaces/shop",
      ].toSorted(),
    );
    expect(second.mirror.status.passes.compacted).toBe(1);
  });

  it("copies and removes what a Namespace's labels decide, with no event on the objects", async () => {
    await pair.put("namespaces/shop", {});
    for (const name of ["a", "b"]) await pair.put(`configmaps/shop/${name}`);
    const one = await pair.follow({ rules: RULES });

    await pair.put("namespaces/shop", TEAM);
    await pair.applied(one);
    const inside = [...(await pair.objects()).keys()];
    await pair.put("namespaces/shop", {});
    await pair.applied(one);
    const outside = [...(await pair.objects()).keys()];

    expect(inside).toEqual(["configmaps/shop/a", "configmaps/shop/b", "namespaces/shop"]);
    expect(outside).toEqual(["namespaces/shop"]);
  });

  it("writes no data key when it starts again and nothing has changed", async () => {
    for (let at = 0; at < 50; at += 1) await pair.put(`configmaps/shop/c${at}`, { data: { at } });
    const first = await pair.follow({ rules: RULES });
    await pair.applied(first);
    await first.stop();
    const before = await pair.objects();

    const second = await pair.follow({ rules: RULES });
    await pair.applied(second);

    expect(await pair.objects()).toEqual(before);
    expect(second.mirror.status.objects).toMatchObject({ put: 0, deleted: 0 });
  });

  it("waits for the one that holds the fence, says who that is, and takes over without reading the ledger", async () => {
    const first = await pair.follow({ rules: RULES, identity: "pod-a" });
    for (const name of ["a", "b"]) await pair.put(`configmaps/shop/${name}`);
    await pair.applied(first);
    const destination = new ReadLog(pair.destination, new SystemClock(), 0);
    const pages: string[] = [];
    const second = pair.mirror({ rules: RULES, identity: "pod-b", destination });
    await expect.poll(() => second.mirror.status.fence.holder).toBe("pod-a");
    await expect
      .poll(() => {
        pages.push(...destination.takePages());
        return pages;
      })
      .toEqual(["own", "debt", "gone"].map((name) => `/svc-ferry/east/${name}/`));
    await pair.put("configmaps/shop/c");
    await pair.applied(first);

    await first.stop();
    await expect.poll(() => second.mirror.status.activity).toBe("following");

    expect(second.mirror.status.owned).toBe(3);
    expect(destination.takePages().filter((key) => key.startsWith("/svc-ferry/east/own/"))).toEqual(
      [],
    );
    await pair.delete("configmaps/shop/c");
    await pair.applied(second);
    expect([...(await pair.objects()).keys()]).not.toContain("configmaps/shop/c");
  });
});
