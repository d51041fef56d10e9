import { describe, expect, it } from "vitest";
import { CertificateFiles } from "../../../certs/certificate-files.js";
import type { Offer } from "../../../certs/verdict.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { RecordingLog } from "../src/kube/fixture/recording-log.js";

const PATHS = { cert: "/tls/tls.crt", key: "/tls/tls.key", ca: "/tls/ca.crt" };

/** Files as they are at this moment; `onRead` happens after a read. */
function bed() {
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const files = new Map<string, string>();
  const offers: Offer[] = [];
  const reads = { onRead: (_path: string) => {} };
  const reader = new CertificateFiles(PATHS, {
    clock,
    log,
    onOffer: (offer) => offers.push(offer),
    readFile: (path) => {
      const text = files.get(path);
      reads.onRead(path);
      const missing = Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
      return text === undefined ? Promise.reject(missing) : Promise.resolve(text);
    },
  });
  const write = (version: string) => {
    files.set(PATHS.cert, `cert ${version}`);
    files.set(PATHS.key, `key ${version}`);
    files.set(PATHS.ca, `ca ${version}`);
  };
  const stop = new AbortController();
  const start = () => void reader.start(stop.signal);
  return { clock, log, files, offers, reads, write, start };
}

const offer = (version: string) => ({
  cert: `cert ${version}`,
  key: `key ${version}`,
  ca: `ca ${version}`,
});

describe("CertificateFiles", () => {
  it("offers what is there and what comes later", async () => {
    const { clock, offers, write, start } = bed();
    write("1");
    start();
    await clock.advance(1_000);
    const first = offers.at(-1);

    write("2");
    await clock.advance(10_000);

    expect(first).toEqual(offer("1"));
    expect(offers.at(-1)).toEqual(offer("2"));
  });

  it("never offers a mixture when the files are exchanged while they are read", async () => {
    const { clock, offers, reads, write, start } = bed();
    write("1");
    reads.onRead = (path) => {
      if (path === PATHS.cert) write("2");
    };

    start();
    await clock.advance(20_000);

    expect(offers.length).toBeGreaterThan(0);
    expect(offers.every(({ cert }) => cert === "cert 2")).toBe(true);
    expect(offers.every(({ key }) => key === "key 2")).toBe(true);
  });

  it("says once that they are missing and takes them when they come", async () => {
    const { clock, log, offers, write, start } = bed();
    start();
    await clock.advance(60_000);
    const told = [...log.lines];

    write("1");
    await clock.advance(10_000);

    expect(told).toEqual(["warn: certificate files cannot be read"]);
    expect(offers.at(-1)).toEqual(offer("1"));
  });

  it("needs no CA where API servers know it", async () => {
    const { clock, files, offers, write, start } = bed();
    write("1");
    files.delete(PATHS.ca);

    start();
    await clock.advance(1_000);

    expect(offers).toEqual([{ ...offer("1"), ca: undefined }]);
  });
});
