import { describe, expect, it } from "vitest";
import { AuditTail } from "../../../../src/telemetry/audit-tail.js";

describe("the end of the audit", () => {
  it("is the last forty lines, oldest first", () => {
    const tail = new AuditTail();

    for (let line = 1; line <= 100; line++) tail.add(`line ${line}`);

    expect(tail.latest()).toHaveLength(40);
    expect([tail.latest()[0], tail.latest().at(-1)]).toEqual(["line 61", "line 100"]);
  });
});
