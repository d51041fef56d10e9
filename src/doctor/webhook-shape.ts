/** What webhook configurations have to say, compared with what the routes select. Pure. */
import type { Requirement, Route, Selector } from "../domain/route.js";
import { matches } from "../domain/selection.js";
import type { StringMap } from "../domain/objects.js";

/** An entry as the API sends it, as far as it is looked at. */
export interface WebhookEntry {
  readonly name?: string;
  readonly failurePolicy?: string;
  readonly objectSelector?: RawSelector;
  readonly namespaceSelector?: RawSelector;
  readonly rules?: readonly {
    readonly apiGroups?: readonly string[];
    readonly operations?: readonly string[];
    readonly resources?: readonly string[];
  }[];
}

interface RawSelector {
  readonly matchLabels?: StringMap;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** What a set of entries for one selector consists of. */
const WANTED = {
  mutating: [{ entry: "mutate", operations: ["CREATE", "UPDATE"] }],
  validating: [
    { entry: "validate", operations: ["CREATE", "UPDATE"] },
    { entry: "observe", operations: ["DELETE"] },
  ],
} as const;

/** Only what refuses may ever stop a change; what stamps and what observes a removal must not. */
const ALWAYS_IGNORE: ReadonlySet<string> = new Set(["mutate", "observe"]);

/** What is wrong, a sentence each; empty: nothing. */
export function shapeProblems(
  kind: keyof typeof WANTED,
  entries: readonly WebhookEntry[],
  { routes, ownNamespace }: { readonly routes: readonly Route[]; readonly ownNamespace: string },
): readonly string[] {
  const selectors = new Map(routes.map(({ selector }) => [selector.text, selector]));
  const missing = [...selectors.values()].flatMap((selector) =>
    WANTED[kind]
      .filter(({ operations }) => !entries.some((one) => covers(one, selector, operations)))
      .map(
        ({ entry, operations }) =>
          `no ${entry} entry asks about ${operations.join(" and ")} of ${selector.text}`,
      ),
  );
  const own = entries
    .filter(({ namespaceSelector }) => selects(namespaceSelector, nameLabel(ownNamespace)))
    .map(({ name = "" }) => `${name} asks about ${ownNamespace} too, where svc-ferry itself lives`);
  const closed = entries
    .filter(({ name = "", failurePolicy }) => {
      return failurePolicy === "Fail" && ALWAYS_IGNORE.has(name.split(/[-.]/)[0] ?? "");
    })
    .map(({ name = "" }) => `${name} has failurePolicy Fail: without svc-ferry nobody could work`);
  return [...missing, ...own, ...closed];
}

/** Entries of others on Services that stop a change when nobody answers. */
export function failsClosed({
  failurePolicy = "Fail",
  rules = [],
  name = "",
}: WebhookEntry): boolean {
  if (failurePolicy !== "Fail" || name.endsWith("svc-ferry.io")) return false;
  return rules.some(
    ({ apiGroups = [], resources = [] }) =>
      apiGroups.some((group) => group === "" || group === "*") &&
      resources.some((resource) => ["services", "*", "*/*"].includes(resource)),
  );
}

/** Labels that this selector matches, as few as there need to be. */
export function exampleLabels({ requirements }: Selector): StringMap {
  const pairs = requirements.flatMap(({ key, operator, values }) => {
    const isWanted = operator === "=" || operator === "in" || operator === "exists";
    return isWanted ? [[key, values[0] ?? ""] as const] : [];
  });
  return Object.fromEntries(pairs);
}

function covers(
  { rules = [], objectSelector }: WebhookEntry,
  selector: Selector,
  operations: readonly string[],
): boolean {
  const asked = new Set(rules.flatMap((rule) => rule.operations ?? []));
  const isAsked = operations.every((operation) => asked.has(operation) || asked.has("*"));
  return isAsked && isSame(requirementsOf(objectSelector), selector.requirements);
}

function isSame(one: readonly Requirement[], other: readonly Requirement[]): boolean {
  const texts = (all: readonly Requirement[]): string => all.map(spelled).sort().join(";");
  return one.length === 0 || texts(one) === texts(other);
}

/** `a=b` and `a in (b)` are the same. */
function spelled({ key, operator, values }: Requirement): string {
  const single = { "=": "in", "!=": "notin" } as const;
  const plain = operator === "=" || operator === "!=" ? single[operator] : operator;
  return `${key} ${plain} ${[...values].sort().join(",")}`;
}

const OPERATORS: Readonly<Record<string, Requirement["operator"]>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!exists",
};

function requirementsOf(raw: RawSelector | undefined): readonly Requirement[] {
  const equal = Object.entries(raw?.matchLabels ?? {}).map(([key, value]): Requirement => ({
    key,
    operator: "=",
    values: [value],
  }));
  const others = (raw?.matchExpressions ?? []).flatMap(({ key, operator, values = [] }) => {
    const known = OPERATORS[operator];
    return known === undefined ? [] : [{ key, operator: known, values }];
  });
  return [...equal, ...others];
}

function selects(raw: RawSelector | undefined, labels: StringMap): boolean {
  return matches({ text: "", requirements: requirementsOf(raw) }, labels);
}

/** Every namespace carries its name as a label. */
function nameLabel(namespace: string): StringMap {
  return { "kubernetes.io/metadata.name": namespace };
}
