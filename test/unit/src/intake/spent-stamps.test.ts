import { describe, expect, it } from "vitest";
import type { Author } from "../../../../src/domain/stamp.js";
import { SpentStamps } from "../../../../src/intake/spent-stamps.js";
import { service } from "../../../fixtures/service.js";

const web = service("shop/web").ferried();
const change = (id: string) => ({ id, by: "ann", at: "2026-01-01T00:00:00.000Z" });
const known = (id: string): Author => ({ kind: "known", change: change(id) });
const unknown = (id: string): Author => ({ kind: "unknown", last: change(id) });

describe("SpentStamps", () => {
  it("believes no stamp any more that a change past the webhook has left behind", () => {
    const stamps = new SpentStamps();

    stamps.observed(web, unknown("1"));
    stamps.observed(web, known("1"));

    expect(stamps.checked(web, known("1"))).toEqual(unknown("1"));
  });

  it("believes the next one, and every other Service's", () => {
    const stamps = new SpentStamps();
    stamps.observed(web, unknown("1"));

    expect(stamps.checked(web, known("2"))).toEqual(known("2"));
    expect(stamps.checked(service("shop/api"), known("1"))).toEqual(known("1"));
  });

  it("learns nothing of what cannot be told, and forgets what is gone", () => {
    const stamps = new SpentStamps();

    stamps.observed(web, undefined);
    stamps.observed(web, { kind: "unknown", last: undefined });
    const untold = stamps.checked(web, known("1"));
    stamps.observed(web, unknown("1"));
    stamps.forget("shop/web");

    expect([untold, stamps.checked(web, known("1"))]).toEqual([known("1"), known("1")]);
  });
});
