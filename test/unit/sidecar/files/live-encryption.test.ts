import { describe, expect, it } from "vitest";
import type { Encryption, ValueTransformer } from "../../../../sidecar/encryption/transformer.js";
import { LiveEncryption } from "../../../../sidecar/files/live-encryption.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const SECRETS = { group: "", resource: "secrets" };
const SETTLE_MS = 600_000;

/** Keys that write with their name in front, and open what begins with one of these names. */
class Keys implements Encryption {
  readonly fingerprint: string;
  closed = 0;
  made = 0;

  constructor(
    private readonly name: string,
    private readonly opens: readonly string[] = [name],
  ) {
    this.fingerprint = name;
  }

  transformer(): ValueTransformer {
    this.made += 1;
    const { name, opens } = this;
    return {
      encrypts: true,
      writePrefix: name,
      decrypt: async (stored) => {
        const [by = "", ...rest] = stored.toString().split(":");
        if (!opens.includes(by)) return { kind: "unreadable", message: `no key ${by}` };
        const value = Buffer.from(rest.join(":"));
        return { kind: "plain", value, wasEncrypted: true, stale: by !== name };
      },
      encrypt: async (plain) => Buffer.from(`${name}:${plain.toString()}`),
    };
  }

  close(): void {
    this.closed += 1;
  }
}

function scene(settleMs = SETTLE_MS) {
  const clock = new VirtualClock();
  const old = new Keys("old");
  const live = new LiveEncryption(old, clock, settleMs);
  const secrets = live.transformer(SECRETS);
  const written = async (): Promise<string> =>
    (await secrets.encrypt(Buffer.from("x"), "/k")).toString();
  const opened = async (text: string): Promise<string> =>
    (await secrets.decrypt(Buffer.from(text), "/k")).kind;
  return { clock, old, live, secrets, written, opened };
}

describe("LiveEncryption", () => {
  it("reads with new keys at once, and writes with them when API servers know them", async () => {
    const { clock, old, live, written, opened } = scene();

    live.replace(new Keys("new", ["new", "old"]));

    expect(await opened("new:x")).toBe("plain");
    expect(await written()).toBe("old:x");
    expect(live.fingerprint).toBe("old");
    await clock.advance(SETTLE_MS);
    expect(await written()).toBe("new:x");
    expect(live.fingerprint).toBe("new");
    expect(old.closed).toBe(1);
  });

  it("opens what the keys of before still write, also when the new file has forgotten them", async () => {
    const { clock, live, written, opened } = scene();

    live.replace(new Keys("new"));

    expect(await opened(await written())).toBe("plain");
    await clock.advance(SETTLE_MS);
    expect(await opened("old:x")).toBe("unreadable");
  });

  it("writes with new keys at once where nobody has to know them first", async () => {
    const { live, written } = scene(0);

    live.replace(new Keys("new"));

    expect(await written()).toBe("new:x");
  });

  it("never writes with keys that were exchanged again before they had settled", async () => {
    const { clock, live, written } = scene();
    const slip = new Keys("slip");

    live.replace(slip);
    await clock.advance(SETTLE_MS - 1);
    live.replace(new Keys("new"));
    await clock.advance(1);

    expect(await written()).toBe("old:x");
    expect(slip.closed).toBe(1);
    await clock.advance(SETTLE_MS);
    expect(await written()).toBe("new:x");
  });

  it("makes a transformer once for each of the keys, and closes what is left at the end", async () => {
    const { old, live, written } = scene();
    const newest = new Keys("new");

    await written();
    await written();
    live.replace(newest);
    live.close();

    expect(old.made).toBe(1);
    expect([old.closed, newest.closed]).toEqual([1, 1]);
  });
});
