import { describe, expect, it } from "vitest";
import {
  authorOf,
  signedText,
  stampAnnotations,
  type Signer,
} from "../../../../src/domain/stamp.js";
import { installed, mappingContext } from "../../../fixtures/installation.js";
import { route } from "../../../fixtures/route.js";
import { service } from "../../../fixtures/service.js";
import { SIGNER } from "../../../fixtures/signer.js";

const context = { ...mappingContext(route()), ...installed() };
const web = service("shop/web").ferried();
const change = { id: "change-1", by: "ann", at: "2026-01-01T00:00:00.000Z" };
const signature = SIGNER.sign(signedText(web, web.uid, change, context));
const stamped = web.with({ annotations: stampAnnotations({ ...change, signature }) });

/** Which texts the signer is asked about. */
function askedSigner() {
  const asked: string[] = [];
  const signer: Signer = {
    ...SIGNER,
    fits: (text, given) => {
      asked.push(text);
      return SIGNER.fits(text, given);
    },
  };
  return { asked, check: { signer, context, epochMs: () => undefined } };
}

describe("authorOf", () => {
  it("checks the signature of one version once, whoever asks", () => {
    const { asked, check } = askedSigner();

    const authors = [authorOf(stamped, check), authorOf(stamped, check)];

    expect(authors).toEqual([
      { kind: "known", change: { ...change, signature } },
      { kind: "known", change: { ...change, signature } },
    ]);
    expect(asked).toHaveLength(1);
  });

  it("checks it again with another key", () => {
    const known = authorOf(stamped, askedSigner().check);
    const { check } = askedSigner();
    const signer: Signer = { ...SIGNER, fits: () => false };

    const unknown = authorOf(stamped, { ...check, signer });

    expect([known.kind, unknown.kind]).toEqual(["known", "unknown"]);
  });
});
