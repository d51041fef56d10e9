import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuditTrail } from "../../../harness/audit-trail.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-audit-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function logFile() {
  const path = join(folder, "audit.log");
  return { path, append: (text: string | Buffer) => appendFileSync(path, text) };
}

/** One line as API servers write it. */
function line(name: string, more: Readonly<Record<string, unknown>> = {}): string {
  const event = {
    stage: "ResponseComplete",
    verb: "create",
    userAgent: "svc-ferry/1.0 (pod; 0a)",
    objectRef: { resource: "services", namespace: "shop", name },
    responseStatus: { code: 201 },
    annotations: { "validate.svc-ferry.io/change-id": "0b" },
    requestObject: { kind: "Service" },
    requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
    stageTimestamp: "2026-01-01T00:00:00.007000Z",
    ...more,
  };
  return `${JSON.stringify(event)}\n`;
}

const names = (trail: AuditTrail): readonly string[] => trail.next().map(({ name }) => name);

describe("AuditTrail", () => {
  it("tells each write once, with its answer and its moments", () => {
    const { path, append } = logFile();
    const trail = new AuditTrail(path);

    append(line("web"));

    expect(trail.next()).toEqual([
      {
        verb: "create",
        resource: "services",
        namespace: "shop",
        name: "web",
        status: 201,
        userAgent: "svc-ferry/1.0 (pod; 0a)",
        receivedMs: Date.parse("2026-01-01T00:00:00.000Z"),
        answeredMs: Date.parse("2026-01-01T00:00:00.007Z"),
        annotations: { "validate.svc-ferry.io/change-id": "0b" },
        body: { kind: "Service" },
      },
    ]);
    expect(trail.next()).toEqual([]);
  });

  it("begins where the log ended when it was made, in the middle of a line too", () => {
    const { path, append } = logFile();
    const last = line("half");
    append(line("before") + last.slice(0, 40));
    const inside = new AuditTrail(path);
    append(last.slice(40));
    const between = new AuditTrail(path);
    append(line("after"));

    const told = [names(inside), names(between)];

    expect(told).toEqual([["after"], ["after"]]);
  });

  it("leaves a line that is on its way, cut within a character, for the next time", () => {
    const { path, append } = logFile();
    const trail = new AuditTrail(path);
    const bytes = Buffer.from(line("web", { userAgent: "é" }));
    const cut = bytes.indexOf(0xc3) + 1;

    append(bytes.subarray(0, cut));
    const early = trail.next();
    append(bytes.subarray(cut));

    expect(early).toEqual([]);
    expect(trail.next().map(({ userAgent }) => userAgent)).toEqual(["é"]);
  });

  it("passes over what is not answered yet, and names subresources", () => {
    const { path, append } = logFile();
    const trail = new AuditTrail(path);
    const status = { resource: "services", subresource: "status", namespace: "shop", name: "web" };

    append(line("web", { stage: "RequestReceived" }) + line("web", { objectRef: status }));

    expect(trail.next().map(({ resource }) => resource)).toEqual(["services/status"]);
  });
});
