import { describe, expect, it } from "vitest";
import { clientFrame, FrameReader } from "../../../../src/kube/websocket-frames.js";

/** As a server sends it: without a mask. */
function serverFrame(first: number, payload: Buffer): Buffer {
  const unmasked = clientFrame("data", payload, Buffer.alloc(4));
  const head = unmasked.subarray(0, unmasked.length - payload.length - 4);
  head.writeUInt8(first, 0);
  head.writeUInt8((head[1] ?? 0) & 0x7f, 1);
  return Buffer.concat([head, payload]);
}

const MAX = 1 << 20;

describe("frames", () => {
  it("of a client are masked, as RFC 6455 shows it in its example", () => {
    const mask = Buffer.from("37fa213d", "hex");

    const frame = clientFrame("data", Buffer.from("Hello"), mask);

    expect(frame.toString("hex")).toBe("828537fa213d7f9f4d5158");
  });

  it.each([0, 125, 126, 65_535, 65_536])(
    "of %i bytes are read back, however they are cut",
    (size) => {
      const payload = Buffer.alloc(size, "x");
      const whole = Buffer.concat([serverFrame(0x82, payload), serverFrame(0x88, Buffer.alloc(0))]);
      const reader = new FrameReader();
      const middle = Math.floor(whole.length / 2);
      const cuts = [1, 3, middle, whole.length].toSorted((a, b) => a - b);

      const frames = cuts.flatMap((cut, index) =>
        reader.push(whole.subarray(cuts[index - 1] ?? 0, cut), MAX),
      );

      expect(frames.map(({ kind, payload: { length } }) => `${kind} ${length}`)).toEqual([
        `data ${size}`,
        "close 0",
      ]);
    },
  );

  it("that are larger than anybody wants, or of no known kind, are refused", () => {
    const large = serverFrame(0x82, Buffer.alloc(200));
    const strange = serverFrame(0x83, Buffer.alloc(1));

    expect(() => new FrameReader().push(large, 100)).toThrow("a frame of 200 bytes");
    expect(() => new FrameReader().push(strange, 100)).toThrow("unknown kind");
  });
});
