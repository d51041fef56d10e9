import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differingPaths, sameDesired } from "../../sidecar/wire/desired.js";
import { edit } from "../../sidecar/wire/edit.js";
import { parseStored } from "../../sidecar/wire/parse.js";
import {
  bytesField,
  FieldReader,
  Malformed,
  splice,
  varintField,
} from "../../sidecar/wire/protobuf.js";
import type { Edits } from "../../sidecar/wire/stored-object.js";
import {
  deployment,
  entry,
  envelope,
  field,
  json,
  object,
  wireKind,
} from "../fixtures/wire/values.js";

const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const anyText = fc.string({ unit: "grapheme", maxLength: 12 });
const anyMap = fc.dictionary(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), anyText, {
  maxKeys: 4,
});

/** Any well-formed message. */
const anyMessage = fc
  .array(
    fc.oneof(
      fc
        .tuple(
          fc.integer({ min: 1, max: 2 ** 29 - 1 }),
          fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        )
        .map(([number, value]) => varintField(number, value)),
      fc
        .tuple(fc.integer({ min: 1, max: 30 }), anyBytes)
        .map(([number, bytes]) => bytesField(number, bytes)),
    ),
  )
  .map((fields) => Buffer.concat(fields));

const anyEdits: fc.Arbitrary<Edits> = fc.record(
  {
    uid: anyText,
    generation: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    finalizers: fc.array(anyText, { maxLength: 3 }),
    labels: anyMap,
    annotations: anyMap,
    ownerReferences: fc.array(
      fc.record({
        apiVersion: anyText,
        kind: anyText,
        name: anyText,
        uid: anyText,
        controller: fc.option(fc.boolean(), { nil: undefined }),
        blockOwnerDeletion: fc.option(fc.boolean(), { nil: undefined }),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);

/** A value of either encoding, with whatever around its metadata. */
const anyValue = fc.oneof(
  fc.tuple(anyMap, anyText, anyBytes).map(([labels, name, rest]) => {
    const entries = Object.entries(labels).map(([key, value]) => entry(11, key, value));
    const metadata = field(1, [field(1, name), ...entries, field(30, rest)]);
    return envelope("a/v1", "B", [metadata, field(2, rest)], [field(9, rest)]);
  }),
  fc
    .tuple(anyMap, anyText, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, 1, 2))
    .map(([labels, name, spec, space]) => {
      const value = { apiVersion: "a/v1", kind: "B", metadata: { labels, name }, spec };
      return Buffer.from(`${JSON.stringify(value, undefined, space)}\n`);
    }),
);

describe("reading whatever bytes", () => {
  it("ends, stays inside the message, and covers it without a gap", () => {
    fc.assert(
      fc.property(anyBytes, fc.nat(50), fc.nat(50), (bytes, before, behind) => {
        const around = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(behind)]);
        const to = before + bytes.length;
        const reader = new FieldReader(around, before, to);
        let reached = before;
        try {
          while (reader.next()) {
            expect(reader.start).toBe(reached);
            expect(reader.end).toBeGreaterThanOrEqual(reader.start + 2);
            expect(reader.end).toBeLessThanOrEqual(to);
            reached = reader.end;
          }
          expect(reached).toBe(to);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws and never takes garbage with a right beginning for more than it is", () => {
    const beginnings = ["k8s\0", "{", "k8s:enc:", ""].map((text) => Buffer.from(text));
    fc.assert(
      fc.property(fc.constantFrom(...beginnings), anyBytes, (beginning, bytes) => {
        const value = Buffer.concat([beginning, bytes]);
        const parsed = parseStored(value);
        if (parsed.kind === "object") expect(parsed.object.bytes).toBe(value);
        else expect(["malformed", "encrypted", "cbor"]).toContain(parsed.reason);
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses a value of which the end is missing, wherever it was cut", () => {
    const value = envelope("a/v1", "B", [field(1, [field(1, "name")]), field(2, "spec")], []);
    fc.assert(
      fc.property(fc.nat(value.length - 1), (length) => {
        expect(parseStored(value.subarray(0, length)).kind).toBe("unreadable");
      }),
    );
  });

  it("survives any single byte that is damaged, in reading and in editing", () => {
    const value = deployment();
    fc.assert(
      fc.property(fc.nat(value.length - 1), fc.nat(255), anyEdits, (at, byte, edits) => {
        const damaged = Buffer.from(value);
        damaged[at] = byte;
        const parsed = parseStored(damaged);
        if (parsed.kind === "unreadable") return;
        const result = edit(parsed.object, edits, wireKind(parsed.object));
        expect(parseStored(result).kind).toBe("object");
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("splicing", () => {
  it("without a change gives the same bytes", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const span = { start: 0, end: message.length };
        expect(Buffer.concat(splice(message, span, new Map()))).toEqual(message);
      }),
    );
  });

  it("keeps every field that it is not about, in order, byte for byte", () => {
    fc.assert(
      fc.property(anyMessage, fc.integer({ min: 1, max: 30 }), (message, number) => {
        const span = { start: 0, end: message.length };
        const result = Buffer.concat(
          splice(message, span, new Map([[number, bytesField(number, "new")]])),
        );
        const others = (bytes: Buffer): readonly string[] => fieldsBut(bytes, number);
        expect(others(result)).toEqual(others(message));
        expect(fieldsOnly(result, number)).toEqual([bytesField(number, "new").toString("hex")]);
      }),
    );
  });
});

describe("editing", () => {
  it("with what is there already gives the very same bytes", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const one = object(value);
        const { uid, generation, labels, annotations, ownerReferences, finalizers } = one.meta;
        const edits = { uid, generation, labels, annotations, ownerReferences, finalizers };
        expect(edit(one, edits, wireKind(one))).toBe(value);
      }),
    );
  });

  it("is read back as it was meant, and nothing else of the metadata moved", () => {
    fc.assert(
      fc.property(anyValue, anyEdits, (value, edits) => {
        const before = object(value);
        const { meta } = object(edit(before, edits, wireKind(before)));
        const { labels, annotations, ...rest } = edits;
        expect(meta).toEqual({
          ...before.meta,
          ...rest,
          labels: { ...before.meta.labels, ...labels },
          annotations: { ...before.meta.annotations, ...annotations },
        });
      }),
      { numRuns: 500 },
    );
  });

  it("can be taken back to the byte, as far as metadata goes", () => {
    fc.assert(
      fc.property(anyEdits, (edits) => {
        const before = json(
          '{"apiVersion":"a/v1","kind":"B","metadata":{"generation":1,"name":"n","uid":"u"},"spec":1e2}\n',
        );
        const edited = object(edit(before, edits, wireKind(before)));
        const back: Edits = {
          uid: "u",
          generation: 1n,
          ownerReferences: [],
          finalizers: [],
          labels: removalOf(edits.labels),
          annotations: removalOf(edits.annotations),
        };
        expect(edit(edited, back, wireKind(before)).toString()).toBe(before.bytes.toString());
      }),
    );
  });

  it("of uid and generation is no difference in what is desired", () => {
    fc.assert(
      fc.property(anyValue, anyText, fc.bigInt({ min: 0n, max: 99n }), (value, uid, generation) => {
        const one = object(value);
        const other = object(edit(one, { uid, generation }, wireKind(one)));
        expect(sameDesired(one, other, wireKind(one))).toBe(true);
        expect(differingPaths(one, other, wireKind(one))).toEqual([]);
      }),
    );
  });
});

function removalOf(map: Edits["labels"]): Readonly<Record<string, undefined>> {
  return Object.fromEntries(Object.keys(map ?? {}).map((key) => [key, undefined]));
}

function fieldsBut(bytes: Buffer, number: number): readonly string[] {
  return fieldsOf(bytes)
    .filter((one) => one.number !== number)
    .map(({ hex }) => hex);
}

function fieldsOnly(bytes: Buffer, number: number): readonly string[] {
  return fieldsOf(bytes)
    .filter((one) => one.number === number)
    .map(({ hex }) => hex);
}

function fieldsOf(bytes: Buffer): readonly { readonly number: number; readonly hex: string }[] {
  const reader = new FieldReader(bytes, 0, bytes.length);
  const fields = [];
  while (reader.next()) {
    const hex = bytes.toString("hex", reader.start, reader.end);
    fields.push({ number: reader.number, hex });
  }
  return fields;
}
