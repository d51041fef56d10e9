import { describe, expect, it } from "vitest";
import { parseListBody } from "../../../../src/kube/objects.js";

const web = { metadata: { name: "web", unknown: 1 }, spec: { futureField: "kept" } };

function list(value: unknown) {
  return parseListBody(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
}

describe("parseListBody", () => {
  it("gives items untouched, with the page's token", () => {
    const metadata = { resourceVersion: "0042", continue: "next" };

    expect(list({ kind: "ServiceList", metadata, items: [web] })).toEqual({
      items: [web],
      resourceVersion: "0042",
      continueToken: "next",
    });
  });

  it("reads null items as an empty list and an empty token as none", () => {
    const metadata = { resourceVersion: "1", continue: "" };

    expect(list({ kind: "ServiceList", metadata, items: null })).toEqual({
      items: [],
      resourceVersion: "1",
      continueToken: undefined,
    });
  });

  it.each<[unknown, string]>([
    ["", "an empty body"],
    ["<html>", "a page"],
    ['{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"ite', "half a body"],
    [{ kind: "ServiceList", metadata: { resourceVersion: "1" } }, "a list without items"],
    [{ kind: "ServiceList", metadata: {}, items: [] }, "a list without resource version"],
    [{ kind: "Status", metadata: { resourceVersion: "1" }, items: [] }, "a Status"],
    [{ kind: "ServiceList", metadata: { resourceVersion: "1" }, items: [{}] }, "a nameless item"],
  ])("does not take %j (%s) for a list", (body) => {
    expect(list(body)).toBeUndefined();
  });
});
