import { describe, expect, it } from "vitest";
import { RefusalReporter } from "../../../../src/reconcile/refusal-reporter.js";
import { SERVICES } from "../../../../src/ports/kube-resources.js";
import { ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { service } from "../../../fixtures/service.js";

const REF = { namespace: "shop", name: "web" };
const annotate = (value: string | null) => ({
  metadata: { annotations: { "svc-ferry.io/target-namespace": value } },
});

function refusalBed() {
  const bed = new ReconcileBed();
  const { log, events, source } = bed;
  const reporter = new RefusalReporter("a", { log, events, source });
  const refused = service("shop/web").ferried();
  bed.create(refused.annotation("svc-ferry.io/target-namespace", "kube-system"));
  return { bed, reporter };
}

describe("RefusalReporter", () => {
  it("tells at the beginning of a term what is refused, once", () => {
    const { bed, reporter } = refusalBed();

    reporter.begin();
    reporter.changed("shop/web");

    expect(bed.events.news()).toEqual(["Warning Refused shop/web"]);
    expect(bed.log.lines).toEqual(["info: not synced"]);
  });

  it("is silent while it does not lead", () => {
    const { bed, reporter } = refusalBed();

    reporter.changed("shop/web");
    reporter.begin();
    reporter.end();
    bed.events.news();
    bed.sourceServer.patch(SERVICES, REF, annotate("kube-public"));
    bed.catchUp();
    reporter.changed("shop/web");

    expect(bed.events.news()).toEqual([]);
  });

  it("tells again when the reason is another, and when there is none any more", () => {
    const { bed, reporter } = refusalBed();
    reporter.begin();

    bed.sourceServer.patch(SERVICES, REF, annotate("Not A Name"));
    bed.catchUp();
    reporter.changed("shop/web");
    bed.sourceServer.patch(SERVICES, REF, annotate(null));
    bed.catchUp();
    reporter.changed("shop/web");

    expect(bed.events.news()).toHaveLength(2);
    expect(bed.log.lines.at(-1)).toBe("info: no longer refused");
  });
});
