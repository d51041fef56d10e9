/**
 * The parsing edge of admission: bytes become a checked review of a Service (admission.k8s.io/v1). Behind it nobody looks at
 * types again, and before it nothing is believed: whoever reaches the port may send what he likes.
 */
import { printable } from "../src/ports/printable.js";
import { Fields } from "./fields.js";
import { readJson } from "./json-text.js";
import { reviewedService, type ReviewedService } from "./reviewed-service.js";

/** Who asks, as the API server authenticated it. Text of strangers. */
interface Requester {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
}

interface Common {
  /** Of this one call, other in each: for the answer and nothing else. */
  readonly uid: string;
  readonly namespace: string;
  /** "" where a name is generated later. */
  readonly name: string;
  readonly dryRun: boolean;
  readonly user: Requester;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions as they were sent; {} when there are none. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The versions of the object that an operation has. */
type Subject =
  | {
      readonly operation: "CREATE";
      readonly object: ReviewedService;
      readonly oldObject: undefined;
    }
  | {
      readonly operation: "UPDATE";
      readonly object: ReviewedService;
      readonly oldObject: ReviewedService;
    }
  | {
      readonly operation: "DELETE";
      readonly object: undefined;
      readonly oldObject: ReviewedService;
    };

/** What the API server asks. */
export type AdmissionReview = Common & Subject;

export type ParsedReview =
  | { readonly kind: "review"; readonly review: AdmissionReview }
  /** Nothing to judge: the sender's fault, in words for its log. */
  | { readonly kind: "bad"; readonly reason: string };

/** A uuid has 36; what is longer is not the API server's. */
const MAX_UID_CHARS = 256;

/** @param keepAnnotation which annotations beside ours the rules read, see parseService */
export function parseReview(body: Buffer, keepAnnotation: (key: string) => boolean): ParsedReview {
  const json = readJson(body);
  if (json.kind === "bad") return json;
  const envelope = Fields.of("review", json.value);
  const request = requestIn(envelope);
  const review = request && reviewIn(request, keepAnnotation);
  const { problem } = envelope;
  if (problem !== undefined || review === undefined) {
    return { kind: "bad", reason: problem ?? "there is nothing to review" };
  }
  return { kind: "review", review };
}

/** The `request` of an envelope that is a review of a Service. */
function requestIn(envelope: Fields): Fields | undefined {
  const what = [envelope.text("apiVersion"), envelope.text("kind")].join(" ");
  if (what !== "admission.k8s.io/v1 AdmissionReview") {
    const seen = printable(what, 64);
    envelope.fail(`the review is "${seen}", not "admission.k8s.io/v1 AdmissionReview"`);
    return undefined;
  }
  const request = envelope.object("request");
  if (request === undefined) envelope.miss("request");
  return request && isAboutService(request) ? request : undefined;
}

function isAboutService(request: Fields): boolean {
  const asked = request.object("kind");
  const kind = ["group", "version", "kind"].map((part) => asked?.text(part) ?? "").join("/");
  const subresource = request.text("subResource") ?? "";
  if (kind === "/v1/Service" && subresource === "") return true;
  const seen = printable([kind, subresource].join(" ").trim(), 64);
  request.fail(`the request is about "${seen}", not about a v1 Service itself`);
  return false;
}

function reviewIn(
  request: Fields,
  keepAnnotation: (key: string) => boolean,
): AdmissionReview | undefined {
  const uid = request.required("uid");
  if (uid.length > MAX_UID_CHARS) request.fail("review.request.uid is too long");
  const namespace = request.required("namespace");
  const where = { namespace, name: request.text("name") ?? "", keepAnnotation };
  const subject = subjectOf(request, (version) => reviewedService(version, where));
  return (
    subject && {
      uid,
      namespace,
      name: (subject.object ?? subject.oldObject).service.name,
      dryRun: request.flag("dryRun") ?? false,
      user: requester(request.object("userInfo")),
      options: request.raw("options") ?? {},
      ...subject,
    }
  );
}

/** The versions that the operation has; undefined, with the problem, when one is missing. */
function subjectOf(
  request: Fields,
  read: (version: Fields) => ReviewedService | undefined,
): Subject | undefined {
  const version = (key: string): ReviewedService | undefined => {
    const fields = request.object(key);
    if (fields === undefined) request.miss(key);
    return fields && read(fields);
  };
  const operation = request.text("operation");
  if (operation === "CREATE") {
    const object = version("object");
    return object && { operation, object, oldObject: undefined };
  }
  if (operation === "UPDATE") {
    const [object, oldObject] = [version("object"), version("oldObject")];
    return object && oldObject && { operation, object, oldObject };
  }
  if (operation === "DELETE") {
    const oldObject = version("oldObject");
    return oldObject && { operation, object: undefined, oldObject };
  }
  request.fail("review.request.operation is not CREATE, UPDATE or DELETE");
  return undefined;
}

function requester(userInfo: Fields | undefined): Requester {
  return {
    username: userInfo?.text("username") ?? "",
    uid: userInfo?.text("uid") ?? "",
    groups: userInfo?.texts("groups") ?? [],
  };
}
