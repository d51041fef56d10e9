import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service } from "../../harness/manifests.js";
import { PageStream } from "../../harness/page-stream.js";

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
});
afterAll(async () => bed.close());

describe("the page of a leader", () => {
  it("shows a Service as soon as it is labelled, and what became of it", async () => {
    const [listening] = await ferry.untilLogged("admin server listening");
    const stream = new PageStream(`http://127.0.0.1:${String(listening?.["port"])}`);
    await stream.until("No Service is selected yet.");

    await bed.src.apply(service(bed.src.namespace, "web"));
    await stream.until("1 Service in sync.");
    stream.stop();

    const { status, text } = await ferry.get("/");
    expect(status).toBe(200);
    expect(text).toContain(`${bed.src.namespace}/web`);
    expect(text).toContain("outcome=applied");
  });

  it("shows a conflict with its reason and the way out", async () => {
    await bed.dst.apply(service(bed.dst.namespace, "taken", { labels: {} }));
    await bed.src.apply(service(bed.src.namespace, "taken"));
    await ferry.untilState(`${bed.src.namespace}/taken`, "conflict");

    const { text } = await ferry.get("/?state=conflict");

    expect(text).toContain("name-occupied");
    expect(text).toContain("svc-ferry.io/target-name");
    expect(text).not.toContain(`${bed.src.namespace}/web<`);
  });
});
