import { describe, expect, it } from "vitest";
import { Outbox } from "../../../webhook/outbox.js";
import { CA, HandOffBed, identityOf, OTHER_CA, Replica } from "../../fixtures/hand-off-bed.js";
import { hintOf } from "../../fixtures/hints.js";
import { RecordedMetrics } from "../../fixtures/recorders.js";
import { waitFor } from "../../harness/wait-for.js";

/** Handshakes take their time while other tests use the same cores. */
const TLS_SERVER = { timeout: 20_000 };

/** A replica's in the middle of a rotation. */
const TRUSTING = identityOf(CA, {}, [OTHER_CA, CA]);
const BATCH = { hints: [hintOf("shop/web")], resync: false };

describe("HandOffClient: connections", TLS_SERVER, () => {
  it("keeps one to the leader", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica().hears(`127.0.0.1:${proxy.port}`);

    for (const resync of [false, true, false]) await replica.deliver({ ...BATCH, resync });

    expect(bed.received.map(({ resync }) => resync)).toEqual([false, true, false]);
    expect(proxy.accepted).toBe(1);
  });

  it.each<[string, (replica: Replica) => unknown]>([
    ["another leads", (replica) => replica.hears(replica.leader?.address, { processId: "p1" })],
    ["it has become another", (replica) => replica.identities.set(identityOf(CA))],
    [
      "it trusts fewer than before",
      ({ identities }) => identities.set({ ...TRUSTING, ca: CA.certificate.pem }),
    ],
  ])("opens another when %s, and closes the one before", async (_, change) => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica(TRUSTING).hears(`127.0.0.1:${proxy.port}`);
    await replica.deliver(BATCH);

    change(replica);
    await replica.deliver(BATCH);

    expect(bed.received).toHaveLength(2);
    expect(proxy.accepted).toBe(2);
    await waitFor(() => proxy.open === 1, { what: "the old one to be closed" });
  });

  it("has one open before there is anything to hand over", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica().hears(`127.0.0.1:${proxy.port}`);
    const stop = new AbortController();

    const open = replica.client.keepOpen(stop.signal);
    await waitFor(() => bed.received.length > 0, { what: "the greeting" });
    await replica.deliver(BATCH);
    stop.abort();
    await open;

    expect(bed.received).toEqual([{ hints: [], resync: false }, BATCH]);
    expect(proxy.accepted).toBe(1);
  });

  it("follows the leader to another address", async () => {
    await using bed = await new HandOffBed().start();
    await using other = await new HandOffBed().start();
    const replica = bed.replica().hears(bed.address);
    await replica.deliver(BATCH);

    await replica.hears(other.address).deliver(BATCH);

    expect([bed.received, other.received]).toEqual([[BATCH], [BATCH]]);
  });

  it("opens another after the one that it had was lost", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica().hears(`127.0.0.1:${proxy.port}`);
    await replica.deliver(BATCH);

    proxy.cut();
    await waitFor(() => proxy.open === 0, { what: "the cut" });
    await waitFor(() => replica.deliver(BATCH).then(() => true), { what: "the delivery" });

    expect(bed.received).toHaveLength(2);
  });
});

describe("HandOffClient: trust", TLS_SERVER, () => {
  it.each([
    ["whose certificate is of another CA", identityOf(OTHER_CA, {}, [CA])],
    [
      "whose certificate has another name",
      identityOf(CA, { names: ["svc-ferry-webhook.svc-ferry.svc"] }),
    ],
    ["whose certificate is for clients only", identityOf(CA, { usages: ["client"] })],
  ])("tells no word to a leader %s", async (_, identity) => {
    await using bed = await new HandOffBed().start(identity);
    const replica = bed.replica().hears(bed.address);

    await expect(replica.deliver(BATCH)).rejects.toMatchObject({ code: "FERRY-H001" });

    expect(bed.received).toEqual([]);
    expect(bed.log.lines).not.toContain("debug: hints taken");
  });

  it("has nothing to show before there is a certificate", async () => {
    await using bed = await new HandOffBed().start();
    const replica = new Replica(bed.clock).hears(bed.address);

    await expect(replica.deliver(BATCH)).rejects.toThrow(
      "there is no certificate for the hand-off yet",
    );
  });
});

describe("HandOffClient: a leader that does not take it", TLS_SERVER, () => {
  it.each([
    [undefined, 'svc-ferry-0 publishes no address for the hand-off: ""'],
    ["nowhere", 'svc-ferry-0 publishes no address for the hand-off: "nowhere"'],
  ])("fails at the address %j", async (address, message) => {
    await using bed = await new HandOffBed().start();

    await expect(bed.replica().hears(address).deliver(BATCH)).rejects.toThrow(message);
  });

  it("fails when nobody leads", async () => {
    await using bed = await new HandOffBed().start();

    await expect(bed.replica().deliver(BATCH)).rejects.toThrow("nobody leads");
  });

  it("passes on what the leader says, and keeps the connection", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica().hears(`127.0.0.1:${proxy.port}`);
    bed.isLeading = false;

    await expect(replica.deliver(BATCH)).rejects.toMatchObject({
      code: "FERRY-H001",
      message: "svc-ferry-0 answered 409: this replica does not lead",
    });

    bed.isLeading = true;
    await replica.deliver(BATCH);
    expect(proxy.accepted).toBe(1);
  });

  it("does not wait longer than 2 s", async () => {
    await using bed = await new HandOffBed().start();
    const replica = bed.replica().hears(await bed.silentAddress());

    const delivered = expect(replica.deliver(BATCH)).rejects.toThrow("no answer within 2000 ms");
    await bed.clock.advance(2_000);

    await delivered;
    await replica.hears(bed.address).deliver(BATCH);
    expect(bed.received).toEqual([BATCH]);
    expect(bed.clock.pending).toBe(0);
  });

  it("does not wait at all when it is told to stop", async () => {
    await using bed = await new HandOffBed().start();
    const stopping = new AbortController();

    const delivered = bed
      .replica()
      .hears(await bed.silentAddress())
      .deliver(BATCH, stopping.signal);
    stopping.abort();

    await expect(delivered).rejects.toMatchObject({ code: "FERRY-H001" });
  });

  it("says where nobody listens", async () => {
    const address = await (async () => {
      await using gone = await new HandOffBed().start();
      return gone.address;
    })();
    await using bed = await new HandOffBed().start();

    await expect(bed.replica().hears(address).deliver(BATCH)).rejects.toThrow(
      `svc-ferry-0 at ${address} cannot be reached: Error: connect ECONNREFUSED`,
    );
  });
});

describe("HandOffClient: this replica leads", TLS_SERVER, () => {
  it("hands over without a connection, and closes the one to the leader before", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const address = `127.0.0.1:${proxy.port}`;
    const replica = bed.replica().hears(address);
    await replica.deliver(BATCH);

    replica.isLeading = true;
    await replica.hears(address, { isUs: true, processId: "p1" }).deliver(BATCH);

    expect(replica.received).toEqual([BATCH]);
    expect([bed.received.length, proxy.accepted]).toEqual([1, 1]);
    await waitFor(() => proxy.open === 0, { what: "the old one to be closed" });
  });

  it("tries again where its term has not begun yet", async () => {
    await using bed = await new HandOffBed().start();
    const replica = bed.replica().hears(bed.address, { isUs: true });

    await expect(replica.deliver(BATCH)).rejects.toThrow("this replica does not lead yet");
    expect([bed.received, replica.received]).toEqual([[], []]);
  });
});

describe("Outbox, HandOffClient and HandOffServer", TLS_SERVER, () => {
  it("tries again until the replica that was elected really leads", async () => {
    await using bed = await new HandOffBed().start();
    bed.isLeading = false;
    const { client } = bed.replica().hears(bed.address);
    const { clock, log } = bed;
    const metrics = new RecordedMetrics();
    const outbox = new Outbox({ clock, log, metrics, link: client });
    const stopping = new AbortController();
    const running = outbox.run(stopping.signal);

    outbox.offer(hintOf("shop/web"));
    await waitFor(() => metrics.of("svc_ferry_hand_off_total").length > 0, { what: "a refusal" });
    bed.isLeading = true;
    await clock.advance(50);
    await waitFor(() => bed.received.length > 0, { what: "the hint" });

    expect(bed.received).toEqual([BATCH]);
    expect(metrics.of("svc_ferry_hand_off_total")[0]).toBe("failed");
    stopping.abort();
    await running;
  });
});
