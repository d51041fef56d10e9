import { describe, expect, it } from "vitest";
import { CA, HandOffBed, identityOf, OTHER_CA } from "../../fixtures/hand-off-bed.js";
import { hintOf } from "../../fixtures/hints.js";

/** Handshakes take their time while other tests use the same cores. */
const TLS_SERVER = { timeout: 20_000 };

describe("PageClient", TLS_SERVER, () => {
  it("brings what the leader shows for that search, over one connection", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const { pages } = bed.replica().hears(`127.0.0.1:${proxy.port}`);

    expect(await pages.ask("?q=shop%2Fweb&page=2")).toEqual({ search: "?q=shop%2Fweb&page=2" });
    expect(await pages.ask("")).toEqual({ search: "" });
    expect(proxy.accepted).toBe(1);
    expect(bed.log.lines).toEqual(["info: hand-off listening"]);
  });

  it("keeps no hint waiting behind a page", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica().hears(`127.0.0.1:${proxy.port}`);

    await replica.pages.ask("");
    await replica.deliver({ hints: [hintOf("shop/web")], resync: false });

    expect(proxy.accepted).toBe(2);
  });

  it("brings nothing when the one that it asks does not lead, and when that is this replica", async () => {
    await using bed = await new HandOffBed().start();
    const replica = bed.replica().hears(bed.address);
    bed.isLeading = false;
    expect(await replica.pages.ask("")).toBeUndefined();

    bed.isLeading = true;
    expect(await replica.hears(bed.address, { isUs: true }).pages.ask("")).toBeUndefined();
  });

  it.each([
    ["nobody leads", (replica) => replica],
    ["the leader has no address", (replica) => replica.hears(undefined)],
    ["nobody listens there", (replica) => replica.hears("127.0.0.1:1")],
  ] satisfies [string, (replica: ReturnType<HandOffBed["replica"]>) => unknown][])(
    "brings nothing when %s",
    async (_, prepare) => {
      await using bed = await new HandOffBed().start();
      const replica = bed.replica();
      prepare(replica);

      expect(await replica.pages.ask("")).toBeUndefined();
    },
  );

  it("brings nothing after two seconds without an answer", async () => {
    await using bed = await new HandOffBed().start();
    const replica = bed.replica().hears(await bed.silentAddress());

    const asked = replica.pages.ask("");
    await bed.clock.advance(2_000);

    expect(await asked).toBeUndefined();
  });

  it("tells nothing to, and believes nothing of, one whose certificate is not ours", async () => {
    await using bed = await new HandOffBed().start();
    await using stranger = await new HandOffBed().start(identityOf(OTHER_CA));

    expect(await bed.replica().hears(stranger.address).pages.ask("")).toBeUndefined();
    expect(
      await bed
        .replica(identityOf(OTHER_CA, {}, [CA]))
        .hears(bed.address)
        .pages.ask(""),
    ).toBeUndefined();
  });

  it("brings nothing that is larger than a page can be", async () => {
    await using bed = await new HandOffBed().start();
    bed.shown = () => ({ text: "x".repeat(1_024 * 1_024) });

    expect(await bed.replica().hears(bed.address).pages.ask("")).toBeUndefined();
  });
});
