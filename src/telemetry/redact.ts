/** What must never reach a log, wherever it comes from: by the field's name and by the text's shape. */

export const REDACTED = "[redacted]";

/** The last words of a name that holds a secret, in kebab case. `tokens` (a number) and `token-expiry` hold none. */
const SECRET_NAME =
  /(?:^|-)(?:authorization|bearer|cookie|credentials?|passwd|password|secret|token|(?:private|client|api|secret|access)-key(?:-data)?)$/;

/** Each bounded, so that no text makes the search slow. */
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
  [/\b(Bearer|Basic)\s+[-\w.~+/=:%]+/gi, `$1 ${REDACTED}`],
  // A JSON Web Token: header and payload are base64url of '{"…', so both begin with "eyJ". Cut ones count too.
  [/\beyJ[-\w]{8,}(?:\.[-\w]*){0,4}/g, REDACTED],
  [/\bk8s-aws-v1\.[-\w]+/g, REDACTED],
  [/\b([a-z][-+.a-z0-9]{0,15}:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${REDACTED}@`],
  [
    /\b(X-Amz-(?:Signature|Security-Token|Credential)|access_token|id_token|token|password)=[^\s&"']+/gi,
    `$1=${REDACTED}`,
  ],
];

/** Without one of these no shape fits: one look instead of six at what is almost always just a name. */
const HINT = /PRIVATE KEY|Bearer|Basic|eyJ|k8s-aws-v1|:\/\/|=/i;

/** Names of fields are the code's own, but for a few. */
const MAX_KNOWN_NAMES = 1_000;
const KNOWN_NAMES = new Map<string, boolean>();

/** Does the name of a field say that its value is a secret? */
export function isSecretName(name: string): boolean {
  const known = KNOWN_NAMES.get(name);
  if (known !== undefined) return known;
  const isSecret = saysSecret(name);
  if (KNOWN_NAMES.size < MAX_KNOWN_NAMES && name.length <= 64) KNOWN_NAMES.set(name, isSecret);
  return isSecret;
}

function saysSecret(name: string): boolean {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2").replaceAll(/[_.\s]/g, "-");
  return SECRET_NAME.test(words.toLowerCase());
}

/** `text` with everything that looks like a credential replaced. Call before cutting: half a token no longer looks like one. */
export function redacted(text: string): string {
  if (!HINT.test(text)) return text;
  return SECRET_SHAPES.reduce((rest, [shape, shown]) => rest.replaceAll(shape, shown), text);
}
