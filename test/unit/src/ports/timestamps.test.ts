import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseHttpDate, parseRfc3339, rfc3339 } from "../../../../src/ports/timestamps.js";

const MOMENTS = [
  "1970-01-01T00:00:00.000Z",
  "1969-12-31T23:59:59.999Z",
  "2024-01-15T10:30:45.123Z",
  "2024-02-29T00:00:00.000Z",
  "2023-12-31T23:59:59.001Z",
  "2000-02-29T12:00:00.000Z",
  "2100-03-01T00:00:00.000Z",
  "0001-01-01T00:00:00.000Z",
  "9999-12-31T23:59:59.999Z",
];

describe("rfc3339", () => {
  it.each(MOMENTS)("writes %s as Date does", (text) => {
    expect(rfc3339(Date.parse(text))).toBe(text);
  });
});

describe("parseRfc3339", () => {
  it("agrees with the platform on every second of four centuries", () => {
    const seconds = fc.date({
      min: new Date("1900-01-01T00:00:00Z"),
      max: new Date("2300-01-01T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(seconds, (date) => {
        const text = `${date.toISOString().slice(0, 19)}Z`;

        expect(parseRfc3339(text)).toBe(Date.parse(text));
      }),
    );
  });

  it.each(MOMENTS)("reads %s as Date does", (text) => {
    expect(parseRfc3339(text)).toBe(Date.parse(text));
  });

  it.each([
    ["2024-01-15T10:30:45Z", "2024-01-15T10:30:45.000Z"],
    ["2024-01-15T10:30:45.123456Z", "2024-01-15T10:30:45.123Z"],
    ["2024-01-15T10:30:45.5+02:30", "2024-01-15T08:00:45.500Z"],
    ["2024-01-15T23:30:00-01:00", "2024-01-16T00:30:00.000Z"],
  ])("understands %s", (text, utc) => {
    expect(parseRfc3339(text)).toBe(Date.parse(utc));
  });

  it.each(["", "yesterday", "2024-13-01T00:00:00Z", "2024-01-15T24:00:00Z", "2024-01-15 10:30"])(
    "refuses %j",
    (text) => {
      expect(parseRfc3339(text)).toBeUndefined();
    },
  );
});

describe("parseHttpDate", () => {
  it("agrees with the platform on every second of four centuries", () => {
    const seconds = fc.date({
      min: new Date("1900-01-01T00:00:00Z"),
      max: new Date("2300-01-01T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(seconds, (moment) => {
        expect(parseHttpDate(moment.toUTCString())).toBe(
          Math.floor(moment.getTime() / 1_000) * 1_000,
        );
      }),
    );
  });

  it.each([
    "",
    "2024-01-15T10:30:45Z",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 06 anF 1994 08:49:37 GMT",
  ])("knows that %j is none", (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });
});
