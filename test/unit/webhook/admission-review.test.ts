import { describe, expect, it } from "vitest";
import { parseReview } from "../../../webhook/admission-review.js";
import { bodyOf, requestOf, REVIEW_UID } from "../../fixtures/review.js";
import { service } from "../../fixtures/service.js";

const web = service("shop/web").ferried().annotation("svc-ferry.io/target-name", "front");
const keepNote = (key: string) => key === "example.com/note";
const created = requestOf(undefined, web);

const parsed = (request: unknown) => parseReview(bodyOf(request), keepNote);
const reviewed = (request: unknown) => {
  const result = parsed(request);
  if (result.kind === "bad") throw new Error(result.reason);
  return result.review;
};
const reason = (body: Buffer) => {
  const result = parseReview(body, keepNote);
  return result.kind === "bad" ? result.reason : undefined;
};

describe("parseReview", () => {
  it("gives who asks for what, with both versions as the rules read them", () => {
    const edited = web.port(81);

    const review = reviewed(requestOf(web, edited));

    expect(review).toMatchObject({
      uid: REVIEW_UID,
      operation: "UPDATE",
      namespace: "shop",
      name: "web",
      dryRun: false,
      user: { username: "jane@example.com", uid: "u-1", groups: ["dev", "system:authenticated"] },
      options: { kind: "UPDATEOptions" },
    });
    const { object, oldObject } = review;
    expect([object?.service.spec.ports, oldObject?.service.spec.ports]).toEqual([
      edited.spec.ports,
      web.spec.ports,
    ]);
    expect(object?.service.labels).toEqual({ sync: "true" });
  });

  it("has no new version of what is deleted and no old one of what is created", () => {
    const [creation, deletion] = [reviewed(created), reviewed(requestOf(web, undefined))];

    expect([creation.operation, creation.oldObject, creation.object?.service.name]).toEqual([
      "CREATE",
      undefined,
      "web",
    ]);
    expect([deletion.operation, deletion.object, deletion.oldObject?.service.name]).toEqual([
      "DELETE",
      undefined,
      "web",
    ]);
  });

  it("keeps all annotations for the patch, and for the rules those that they read", () => {
    const noted = web.annotation("example.com/note", "n").annotation("example.com/other", "o");

    const { object } = reviewed(requestOf(undefined, noted));

    expect(object?.annotations).toEqual(noted.annotations);
    expect(Object.keys(object?.service.annotations ?? {})).toEqual([
      "svc-ferry.io/target-name",
      "example.com/note",
    ]);
  });

  it("knows an object without annotations from one with none left", () => {
    const [without, empty] = [undefined, {}].map((annotations) =>
      reviewed({ ...created, object: { metadata: { name: "web", annotations } } }),
    );

    expect([without?.object?.annotations, empty?.object?.annotations]).toEqual([undefined, {}]);
  });

  it("takes null for absent, as Go writes a time that is not set", () => {
    const metadata = { generateName: "web-", creationTimestamp: null, deletionTimestamp: null };

    const { name, object } = reviewed({
      ...created,
      name: undefined,
      userInfo: null,
      options: null,
      object: { metadata: { ...metadata, labels: null }, spec: { ports: null, selector: null } },
    });

    expect(name).toBe("");
    expect(object?.service).toMatchObject({
      namespace: "shop",
      name: "",
      generateName: "web-",
      uid: "",
      deleting: false,
      labels: {},
      spec: {},
    });
  });

  it("reads keys that every object of JavaScript has like any other", () => {
    const odd = web.label("constructor", "a").label("toString", "b").label("prototype", "c");

    const { object } = reviewed(requestOf(undefined, odd));

    expect(object?.service.labels).toEqual({ ...odd.labels });
  });

  it("leaves families that do not exist for the API server to refuse", () => {
    const { object } = reviewed({
      ...created,
      object: { metadata: { name: "web" }, spec: { ipFamilies: ["IPv4", "IPv5"] } },
    });

    expect(object?.service.spec.ipFamilies).toEqual(["IPv4"]);
  });

  it("says that it is a dry run", () => {
    expect(reviewed({ ...created, dryRun: true }).dryRun).toBe(true);
  });

  it.each([
    ["a v1beta1 review", { apiVersion: "admission.k8s.io/v1beta1", kind: "AdmissionReview" }],
    ["another kind", { apiVersion: "admission.k8s.io/v1", kind: "Service" }],
    ["nothing", {}],
  ])("refuses %s with what it is", (_, envelope) => {
    const body = Buffer.from(JSON.stringify({ ...envelope, request: created }));

    expect(reason(body)).toMatch(
      /^the review is "[^"]*", not "admission.k8s.io\/v1 AdmissionReview"/,
    );
  });

  it.each([
    ["no request", null, "review.request is missing"],
    ["a list as request", [], "review.request is not an object"],
    ["no uid", { ...created, uid: "" }, "review.request.uid is missing"],
    ["a uid without end", { ...created, uid: "u".repeat(257) }, "review.request.uid is too long"],
    ["no namespace", { ...created, namespace: undefined }, "review.request.namespace is missing"],
    [
      "a Pod",
      { ...created, kind: { group: "", version: "v1", kind: "Pod" } },
      'the request is about "/v1/Pod", not about a v1 Service itself',
    ],
    [
      "a status",
      { ...created, subResource: "status" },
      'the request is about "/v1/Service status", not about a v1 Service itself',
    ],
    [
      "another operation",
      { ...created, operation: "CONNECT" },
      "review.request.operation is not CREATE, UPDATE or DELETE",
    ],
    ["no object", { ...created, object: null }, "review.request.object is missing"],
    [
      "an update of nothing",
      { ...created, operation: "UPDATE" },
      "review.request.oldObject is missing",
    ],
    [
      "a deletion of nothing",
      { ...created, operation: "DELETE" },
      "review.request.oldObject is missing",
    ],
    [
      "an object without metadata",
      { ...created, object: {} },
      "review.request.object.metadata is missing",
    ],
    [
      "an object of another name",
      { ...created, object: { metadata: { name: "other" } } },
      "review.request.object.metadata is of another object than the request",
    ],
    [
      "an object of another namespace",
      { ...created, object: { metadata: { name: "web", namespace: "other" } } },
      "review.request.object.metadata is of another object than the request",
    ],
    [
      "a label that is a number",
      { ...created, object: { metadata: { name: "web", labels: { a: 1 } } } },
      "review.request.object.metadata.labels is not an object of strings",
    ],
    [
      "ports that are no list",
      { ...created, object: { metadata: { name: "web" }, spec: { ports: {} } } },
      "review.request.object.spec.ports is not a list of objects",
    ],
    [
      "a port without number",
      { ...created, object: { metadata: { name: "web" }, spec: { ports: [{ port: 1 }, {}] } } },
      "review.request.object.spec.ports[1].port is missing",
    ],
    [
      "groups that are no texts",
      { ...created, userInfo: { groups: [1] } },
      "review.request.userInfo.groups is not a list of strings",
    ],
  ])("refuses %s", (_, request, expected) => {
    expect(parsed(request)).toEqual({ kind: "bad", reason: expected });
  });

  it("cannot be made to say a line of its own in a reason", () => {
    const body = Buffer.from(JSON.stringify({ apiVersion: "a\nb\u202e", kind: "\u001b[2J" }));

    expect(reason(body)).toBe(
      'the review is "a\\nb\\u202e \\u001b[2J", not "admission.k8s.io/v1 AdmissionReview"',
    );
  });
});
