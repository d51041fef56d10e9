import { beforeEach, describe, expect, it } from "vitest";
import { LinkBooks } from "../../../../sidecar/commands/link-books.js";
import { warnOfRoom } from "../../../../sidecar/doctor/room-warning.js";
import { PLAIN } from "../../../../sidecar/encryption/encryption.js";
import {
  EncryptionUnavailable,
  type Encryption,
} from "../../../../sidecar/encryption/transformer.js";
import { LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";
import { RecordingLog } from "../../src/kube/fixture/recording-log.js";

const SIGNAL = new AbortController().signal;

/** Opens nothing, because its plugin does not answer. */
const AWAY: Encryption = {
  ...PLAIN,
  transformer: (resource) => ({
    ...PLAIN.transformer(resource),
    decrypt: async () => Promise.reject(new EncryptionUnavailable("the KMS plugin is away")),
  }),
};

let bed: MirrorBed;
let log: RecordingLog;
beforeEach(() => {
  bed = new MirrorBed();
  log = new RecordingLog();
});

function warned(encryption: Encryption = PLAIN): Promise<void> {
  const { source, destination, clock } = bed;
  const books = new LinkBooks(destination, "east");
  const rules = rulesetOf(LABELLED);
  const parts = { source, sourcePrefix: "/registry", encryption, rules, books, clock, log };
  return warnOfRoom(parts, SIGNAL);
}

describe("the warning before a first copy", () => {
  it("is none where there is room", async () => {
    await bed.put("configmaps/shop/web", { labels: { mirror: "yes" } });

    await warned();

    expect(log.lines).toEqual([]);
  });

  it("does not end a mirror that waits for an etcd, or for a KMS plugin", async () => {
    const value = Buffer.from("k8s:enc:kms:v2:plugin:sealed");
    await bed.write(bed.source, { kind: "put", key: "/registry/namespaces/shop", value });

    await expect(warned(AWAY)).resolves.toBeUndefined();
    bed.destination.faults.failNext(1, "unavailable", "members");
    await expect(warned()).resolves.toBeUndefined();
    expect(log.lines).toEqual([]);
  });
});
