import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { desired, type DesiredMirror } from "../../src/domain/desired.js";
import type { IpFamily } from "../../src/domain/objects.js";
import { parseService } from "../../src/domain/parse.js";
import { createSpec, serviceDiff } from "../../src/domain/service-diff.js";
import type { KubeObject } from "../../src/ports/kube-api.js";
import { NAMESPACES, SERVICES } from "../../src/ports/kube-resources.js";
import { mergePatch } from "../fakes/json.js";
import { MemoryApiServer } from "../fakes/memory-api-server.js";
import { SeededRandom } from "../fakes/seeded-random.js";
import { VirtualClock } from "../fakes/virtual-clock.js";
import { families, sourceService, vandalism } from "../fixtures/arbitraries.js";
import { planContext } from "../fixtures/installation.js";
import { kubeService } from "../fixtures/kube-objects.js";
import { ownMirror } from "../fixtures/mirrors.js";
import { route } from "../fixtures/route.js";
import type { ServiceBuilder } from "../fixtures/service.js";

const REF = { namespace: "prod", name: "web" };
const DUAL: readonly IpFamily[] = ["IPv4", "IPv6"];
const by = route().with({ copyAnnotations: ["example.com/note"] });

function wantedOf(source: ServiceBuilder, there: readonly IpFamily[] = DUAL): DesiredMirror {
  const wanted = desired(source, by, planContext([by], { families: there }));
  if ("refused" in wanted) throw new Error(wanted.refused.message);
  return wanted;
}

const parsed = (object: KubeObject) => parseService(object, () => true);

describe("serviceDiff", () => {
  it("is equal for a mirror that was just made", () => {
    fc.assert(
      fc.property(sourceService, (source) => {
        expect(serviceDiff(ownMirror("prod/web", source, by, DUAL), wantedOf(source))).toEqual({
          kind: "equal",
        });
      }),
    );
  });

  it("ends with its own patch, and leaves what others added", () => {
    fc.assert(
      fc.property(sourceService, sourceService, vandalism, (before, after, vandalize) => {
        const made = vandalize(ownMirror("prod/web", before, by, DUAL));
        const diff = serviceDiff(made, wantedOf(after));
        fc.pre(diff.kind === "patch");

        const patch = diff.kind === "patch" ? diff.patch : {};
        const patched = parsed(mergePatch(kubeService(made), patch) as KubeObject);

        const stored = mergePatchDefaults(patched, wantedOf(after));
        expect(serviceDiff(stored, wantedOf(after))).toEqual({ kind: "equal" });
        const added = "example.com/added";
        expect(patched.annotations[added]).toBe(made.annotations[added]);
      }),
    );
  });

  it("is accepted by an API server, which has nothing left to differ afterwards", () => {
    fc.assert(
      fc.property(sourceService, sourceService, families, vandalism, (before, after, there, v) => {
        fc.pre(fits(before, there) && fits(after, there));
        const server = destination(there);
        const made = v(ownMirror("prod/web", before, by, there));
        const created = server.create(SERVICES, fresh(kubeService(made)));
        const diff = serviceDiff(parsed(created), wantedOf(after, there));

        if (diff.kind === "patch") server.patch(SERVICES, REF, diff.patch);
        if (diff.kind === "recreate") replaceMirror(server, wantedOf(after, there));

        const left = parsed(server.get(SERVICES, REF));
        expect(serviceDiff(left, wantedOf(after, there))).toEqual({ kind: "equal" });
      }),
      { numRuns: 300 },
    );
  });

  it("makes a mirror anew only where an API server refuses the change in place", () => {
    fc.assert(
      fc.property(sourceService, sourceService, (before, after) => {
        const made = ownMirror("prod/web", before, by, DUAL);
        const [is, want] = [made.spec, wantedOf(after).spec];
        const external = is.type === "ExternalName" || want.type === "ExternalName";
        const forbidden =
          (is.clusterIP === "None") !== want.headless || is.ipFamilies?.[0] !== want.family;

        const anew = serviceDiff(made, wantedOf(after)).kind === "recreate";

        expect(anew).toBe(!external && forbidden);
      }),
    );
  });
});

/** What an API server does with families by itself when a Service stops being, or becomes, an ExternalName. */
function mergePatchDefaults(
  service: ReturnType<typeof parsed>,
  wanted: DesiredMirror,
): ReturnType<typeof parsed> {
  if (wanted.spec.type !== "ExternalName") return service;
  const { clusterIP: _address, ...spec } = service.spec;
  return { ...service, spec };
}

function fits(source: ServiceBuilder, there: readonly IpFamily[]): boolean {
  const wanted = source.spec.ipFamilies ?? there;
  return wanted.some((family) => there.includes(family));
}

function destination(there: readonly IpFamily[]): MemoryApiServer {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const server = new MemoryApiServer({ clock, random, families: there });
  server.create(NAMESPACES, { metadata: { name: "prod" } });
  return server;
}

function fresh(object: KubeObject): KubeObject {
  const { namespace = "", name, labels = {}, annotations = {} } = object.metadata;
  return { ...object, metadata: { namespace, name, labels, annotations } };
}

function replaceMirror(
  server: MemoryApiServer,
  { labels, annotations, spec }: DesiredMirror,
): void {
  server.delete(SERVICES, REF);
  const created = { metadata: { ...REF, labels, annotations }, spec: createSpec(spec) };
  server.create(SERVICES, created);
}
