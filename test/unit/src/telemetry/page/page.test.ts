import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { StatusReport } from "../../../../../src/ports/status.js";
import { SystemClock } from "../../../../../src/runtime/system-clock.js";
import { adminApp, AdminSources } from "../../../../../src/telemetry/admin-app.js";
import { browserModule, icon, styleSheet } from "../../../../../src/telemetry/page/assets.js";
import { Page } from "../../../../../src/telemetry/page/page.js";
import { ferryContent } from "../../../../fixtures/ferry-content.js";
import { serviceStatus, statusOfLeader } from "../../../../fixtures/status-reports.js";

const EVIL = `"><script>alert(1)</script>'&`;

interface Situation {
  readonly report?: () => StatusReport;
  readonly audit?: readonly string[];
  readonly page?: "loopback" | "all";
}

function app({ report = statusOfLeader, audit = [], page = "loopback" }: Situation = {}) {
  const status = { report: () => report() };
  const made = adminApp(
    { podName: "ferry-1", page, bindAddress: "127.0.0.1", port: 0 },
    new AdminSources(
      {
        ready: () => ({ ok: true, waitingFor: [] }),
        webhookReady: () => ({ ok: true, waitingFor: [] }),
      },
      { isLeader: () => true },
      { contentType: "text/plain", text: async () => "" },
      status,
      new Page(
        ferryContent(
          () => report(),
          () => audit,
        ),
        new SystemClock(),
      ),
    ),
  );
  stops.push(async () => made.close());
  return made;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe("the page", () => {
  it("is complete without a script: headline, clusters, Services, audit", async () => {
    const { body, statusCode } = await app({ audit: ["applied changeId=6c44"] }).inject("/");

    expect(statusCode).toBe(200);
    for (const part of ["1 Service in sync.", "eks-a", "shop/web", "changeId=6c44"]) {
      expect(body).toContain(part);
    }
  });

  it("shows strangers' text as text, wherever it stands", async () => {
    const services = [serviceStatus(EVIL, { state: "refused", message: EVIL })];
    const situation = { report: () => statusOfLeader({ services }), audit: [EVIL] };

    const { body } = await app(situation).inject(`/?q=${encodeURIComponent(EVIL)}`);

    expect(body).not.toContain("<script>alert");
    expect(body).toContain("&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;");
  });

  it("names the columns of each table and the state in words", async () => {
    const { body } = await app().inject("/");

    expect(body.match(/<th scope="col"/g)).toHaveLength(15);
    expect(body.match(/<caption>/g)).toHaveLength(3);
    expect(body).toContain("● synced");
  });

  it("keeps the search over its pages", async () => {
    const services = Array.from({ length: 250 }, (_, index) => serviceStatus(`web-${index}`));

    const { body } = await app({ report: () => statusOfLeader({ services }) }).inject(
      "/?q=web&state=synced&page=2",
    );

    expect(body).toContain('<a id="next" href="/?q=web&amp;state=synced&amp;page=3">Next</a>');
    expect(body).toContain('<a id="previous" href="/?q=web&amp;state=synced">Previous</a>');
    expect(body).toContain("101–200 of 250");
  });

  it.each(["/", "/page.css", "/page.js", "/page.svg", "/page.events"])(
    "answers %s with nothing from elsewhere, nothing inline, no frame",
    async (url) => {
      const response = await app().inject({ url, headers: { host: "svc-ferry.example" } });

      expect(response.headers["content-security-policy"]).toMatch(/^default-src 'none'; /);
      expect(response.headers["content-security-policy"]).not.toContain("unsafe");
      expect(response.headers["referrer-policy"]).toBe("no-referrer");
      expect(response.headers["cache-control"]).toBe("no-store");
    },
  );

  it.each(["/", "/page.css", "/page.js", "/page.svg", "/page.events"])(
    "shows %s to this machine only, unless it is told to show it to all",
    async (url) => {
      const stranger = { url, remoteAddress: "10.0.0.7", headers: { host: "localhost" } };
      const rebound = { url, headers: { host: "evil.example" } };

      expect((await app().inject(stranger)).statusCode).toBe(403);
      expect((await app().inject(rebound)).statusCode).toBe(403);
    },
  );

  it("is for all when it is told so", async () => {
    const open = app({ page: "all" });

    expect((await open.inject({ url: "/", remoteAddress: "10.0.0.7" })).statusCode).toBe(200);
  });

  it("loads no resource of anybody else, and runs nothing that is inline", async () => {
    const { body } = await app().inject("/");
    const drawing = icon().replace(' xmlns="http://www.w3.org/2000/svg"', "");
    const texts = [body, browserModule(), styleSheet(), drawing].join("\n");

    expect(texts).not.toMatch(/https?:\/\//);
    expect(body).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
    expect(browserModule()).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(/);
  });
});

describe("the stream", () => {
  /** What arrives, event by event. */
  async function* events(url: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await fetch(url, { signal });
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        yield text.slice(0, end);
        text = text.slice(end + 2);
      }
    }
  }

  it("begins with everything and goes on with what changes", async () => {
    let services = [serviceStatus("web")];
    const listening = app({ report: () => statusOfLeader({ services }) });
    await listening.listen({ host: "127.0.0.1", port: 0 });
    const { port } = listening.server.address() as AddressInfo;
    const closing = new AbortController();
    const stream = events(`http://127.0.0.1:${port}/page.events`, closing.signal);

    const first = String((await stream.next()).value);
    services = [serviceStatus("web"), serviceStatus("cart")];
    const second = String((await stream.next()).value);
    closing.abort();

    expect(first).toMatch(/^event: view\ndata: .*"headline":"1 Service in sync\."/);
    expect(second).toContain('"headline":"2 Services in sync."');
    expect(second).not.toContain("shop/web");
    expect(second).toContain("shop/cart");
  });

  it("is for sixteen at a time", async () => {
    const listening = app();
    await listening.listen({ host: "127.0.0.1", port: 0 });
    const { port } = listening.server.address() as AddressInfo;
    const closing = new AbortController();
    const ask = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/page.events`, { signal: closing.signal })).status;

    const statuses = [];
    for (let count = 0; count < 17; count++) statuses.push(await ask());
    closing.abort();

    expect(statuses).toEqual([...Array.from({ length: 16 }, () => 200), 503]);
  });
});
