/** The mirror's page in a browser, about states that no etcd is needed for. With real ones: sidecar/mirror-command.test.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import { MirrorContent } from "../../sidecar/status/mirror-content.js";
import type { MirrorStatusReport } from "../../src/ports/mirror-report.js";
import { mirrorReport } from "../fixtures/mirror-report.js";
import { it, type Tab } from "../harness/browser-test.js";
import { faintTexts } from "../harness/contrast.js";
import { PageServer } from "../harness/page-server.js";

const AT = "2026-01-01T00:00:00.000Z";
const EVIL = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;

const WORST = mirrorReport({
  debts: { occupied: 12_000, "dest-plaintext": 3 },
  refused: Array.from({ length: 100 }, (_, index) => ({
    path: `configmaps/${"a".repeat(63)}/${"b".repeat(253)}-${index}`,
    code: "occupied",
    detail: EVIL,
    since: AT,
  })),
  paused: { why: "no-space", message: "c".repeat(300), since: AT },
  rejectedFiles: [{ path: "/etc/mirror/rules.yaml", problems: [EVIL], since: AT }],
});

let report: MirrorStatusReport;
const server = new PageServer(new MirrorContent(() => report));
beforeAll(async () => server.start());
afterAll(async () => server.stop());
beforeEach(() => {
  report = WORST;
});

async function shown({ page }: Tab): Promise<void> {
  const stream = page.waitForResponse(/page\.events/);
  await page.goto(server.url);
  await stream;
}

describe("the mirror's page", () => {
  it("follows what the mirror says, and shows every text of a stranger as text", async ({
    tab,
  }) => {
    report = mirrorReport();
    await shown(tab);
    expect(await tab.text("h1")).toBe("4 objects in sync.");

    report = WORST;

    await tab.page.getByText("Writes stand still: no-space.").waitFor();
    expect(await tab.text("#refused-count")).toBe("the newest 100 of 12003");
    expect(await tab.page.locator("#refused tr").count()).toBe(100);
    expect(await tab.text("#refused .long")).toBe(EVIL);
    expect(await tab.text("#debts tr:first-child")).toContain("--on-conflict=adopt");
  });

  it.for(["light", "dark"] as const)("can be read in the %s", async (colorScheme, { tabOf }) => {
    const tab = await tabOf({ colorScheme });
    await shown(tab);

    expect(await faintTexts(tab.page)).toEqual([]);
  });

  it.for([360, 1280])(
    "never has to be scrolled sideways at %d pixels",
    async (width, { tabOf }) => {
      const tab = await tabOf({ viewport: { width, height: 740 }, isMobile: width < 500 });
      await shown(tab);

      expect(await tab.hiddenWidth()).toBe(0);
    },
  );

  it("is complete without JavaScript", async ({ tabOf }) => {
    const tab = await tabOf({ javaScriptEnabled: false });
    await tab.page.goto(server.url);

    expect(await tab.text("h1")).toBe("Writes stand still: no-space.");
    expect(await tab.page.locator("#clusters tr").allInnerTexts()).toHaveLength(2);
  });
});
