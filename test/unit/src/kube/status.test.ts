import { describe, expect, it } from "vitest";
import { failureOf, watchFailureOf } from "../../../../src/kube/status.js";
import { status } from "./fixture/fake-api-server.js";

function failure(code: number, body: unknown, headers: Record<string, string> = {}) {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return failureOf("prod: list /api/v1/services", { status: code, headers, body: bytes });
}

const tooLarge = { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large" }] };

describe("failureOf", () => {
  it.each([
    [401, status(401, "Unauthorized"), "RetryableError", "FERRY-K005"],
    [403, status(403, "Forbidden"), "RetryableError", "FERRY-K006"],
    [408, "", "RetryableError", "FERRY-K002"],
    [410, status(410, "Expired"), "RetryableError", "FERRY-K008"],
    [429, status(429, "TooManyRequests"), "RetryableError", "FERRY-K003"],
    [500, status(500, "InternalError"), "RetryableError", "FERRY-K004"],
    [502, "<html>bad gateway</html>", "RetryableError", "FERRY-K004"],
    [504, status(504, "Timeout"), "RetryableError", "FERRY-K004"],
    [504, status(504, "Timeout", tooLarge), "RetryableError", "FERRY-K009"],
    [301, "", "RetryableError", "FERRY-K007"],
    [400, status(400, "BadRequest"), "TerminalError", "FERRY-K011"],
    [404, "404 page not found", "TerminalError", "FERRY-K011"],
    [405, "", "TerminalError", "FERRY-K011"],
    [415, "", "TerminalError", "FERRY-K011"],
    [422, status(422, "Invalid"), "TerminalError", "FERRY-K011"],
  ])("turns %i %j into %s %s", (code, body, name, ferryCode) => {
    expect(failure(code, body)).toMatchObject({ name, code: ferryCode, status: code });
  });

  it("passes on how long the server asks us to wait, in ms, the header before the body", () => {
    const body = status(429, "TooManyRequests", { retryAfterSeconds: 7 });

    expect(failure(429, body, { "retry-after": "3" })).toMatchObject({ retryAfterMs: 3000 });
    expect(failure(429, body)).toMatchObject({ retryAfterMs: 7000 });
    expect(failure(503, "", { "retry-after": "1" })).toMatchObject({ retryAfterMs: 1000 });
    expect(failure(503, "", { "retry-after": "soon" })).toMatchObject({ retryAfterMs: undefined });
  });

  it("names the request and quotes the server, but never pages of it", () => {
    const message = failure(403, status(403, "Forbidden", {}, "x".repeat(5000))).message;

    expect(message).toMatch(/^prod: list \/api\/v1\/services: 403: x+…$/);
    expect(message.length).toBeLessThan(600);
  });
});

describe("watchFailureOf", () => {
  it.each([
    [status(410, "Expired"), "FERRY-K008"],
    [status(504, "Timeout", tooLarge), "FERRY-K009"],
    [status(500, "InternalError"), "FERRY-K004"],
    [status(400, "BadRequest"), "FERRY-K004"],
    ["no status at all", "FERRY-K004"],
  ])("turns the error event %j into a retryable %s", (object, code) => {
    expect(watchFailureOf("prod: watch /x", object)).toMatchObject({
      name: "RetryableError",
      code,
    });
  });
});
