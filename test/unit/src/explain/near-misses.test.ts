import { describe, expect, it } from "vitest";
import { nearMisses } from "../../../../src/explain/near-misses.js";
import { route } from "../../../fixtures/route.js";
import { service } from "../../../fixtures/service.js";

const WEB = service("shop/web").label("sync", "yes");

describe("nearMisses", () => {
  it.each([
    ["sync=true", 'label sync="yes", and it selects sync=true', "sync=true"],
    ["sync in (a,b)", 'label sync="yes", and it selects sync in (a,b)', "sync=a"],
    ["sync!=yes", 'label sync="yes", and it selects sync!=yes', "sync-"],
    ["sync notin (yes)", 'label sync="yes", and it selects sync notin (yes)', "sync-"],
    ["!sync", 'label sync="yes", and it selects !sync', "sync-"],
    ["tier", "no label tier, and it selects tier", "tier="],
  ])("says what %s lacks", (selector, text, label) => {
    expect(nearMisses(WEB, [route().selecting(selector)])).toEqual([
      { route: "default", text, label },
    ]);
  });

  it("offers no label where two are missing", () => {
    const [miss] = nearMisses(WEB, [route().selecting("sync=true,tier=a")]);

    expect(miss).toEqual({
      route: "default",
      text: 'label sync="yes", and it selects sync=true; no label tier, and it selects tier=a',
      label: undefined,
    });
  });

  it("names routes of the Service's namespace first", () => {
    const misses = nearMisses(WEB, [
      route("other").from("cart"),
      route("here"),
      route("all").fromAll(),
    ]);

    expect(misses.map((miss) => miss.route)).toEqual(["here", "all", "other"]);
  });
});
