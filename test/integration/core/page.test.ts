import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { it as inBrowser } from "../../harness/browser-test.js";
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
    const stream = new PageStream(await ferry.url());
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

describe("a browser that shows the page of a leader", () => {
  inBrowser("has a Service within a second after it was labelled", async ({ tab }) => {
    await tab.page.goto(await ferry.url());
    const waits: number[] = [];
    for (const name of ["first", "second", "third"]) {
      await bed.src.apply(service(bed.src.namespace, name, { labels: {} }));
      const shown = tab.page.locator("#services .name", {
        hasText: `${bed.src.namespace}/${name}`,
      });

      const begin = performance.now();
      await bed.src.patch("Service", name, { metadata: { labels: { sync: "true" } } });
      await shown.waitFor();
      waits.push(performance.now() - begin);
    }

    // The quickest: what else the machine does may delay one of them, but not what is slow by itself.
    expect(Math.min(...waits)).toBeLessThan(1_000);
  });

  inBrowser("has a conflict with its reason and the way out", async ({ tab }) => {
    await bed.dst.apply(service(bed.dst.namespace, "theirs", { labels: {} }));
    await tab.page.goto(await ferry.url());

    await bed.src.apply(service(bed.src.namespace, "theirs"));

    const row = tab.page.locator("#services tr", { hasText: `${bed.src.namespace}/theirs` });
    await row.getByText("▲ conflict").waitFor();
    expect(await row.innerText()).toContain("name-occupied");
    expect(await row.innerText()).toContain("svc-ferry.io/target-name");
  });
});
