import { describe, expect, it } from "vitest";
import { SECRET_NAME } from "../../../certs/object-names.js";
import { loadConfig } from "../../../src/config/load.js";
import type { Config } from "../../../src/config/config.js";
import {
  destinationRights,
  type NeededRight,
  sourceRights,
} from "../../../src/domain/needed-rights.js";
import { type Granted, granted, installedObjects } from "../../fixtures/installed-objects.js";
import { textOf } from "../../fixtures/source-text.js";

/** The configuration that is installed with the roles. */
function configuration(): Config {
  const loaded = loadConfig({
    flags: { config: "ferry.yaml" },
    env: { HOSTNAME: "pod" },
    readFile: () => textOf("manifests/source/ferry.yaml"),
  });
  if (loaded.kind === "invalid") throw new Error("ferry.yaml is invalid");
  return loaded.config;
}

const config = configuration();
const question = {
  routes: config.routes,
  endpoints: config.endpoints,
  lease: config.lease,
  webhook: {
    on: config.webhook.on,
    certsMode: config.webhook.certs.mode,
    configuration: config.webhook.configuration,
    secret: SECRET_NAME,
  },
  kubeconfigSecret: config.kubeconfigSecret,
  account: { namespace: "svc-ferry", name: "svc-ferry" },
};

/** Written alike, for comparison: "update coordination.k8s.io/leases lease k8s-sync". */
function spelled({ verb, group, resource, namespace = "*", name = "*" }: Granted): string {
  return `${verb} ${group}/${resource} ${name} in ${namespace}`;
}

function asGranted({ right, verb, namespace, name }: NeededRight): Granted {
  return { group: right.group, resource: right.resource, verb, namespace, name };
}

describe("the roles of manifests/source", () => {
  it("grant what svc-ferry needs with that configuration, and nothing else", () => {
    const needed = sourceRights(question);

    const allowed = granted(installedObjects("manifests/source"));

    expect(allowed.map(spelled).toSorted()).toEqual(needed.map(asGranted).map(spelled).toSorted());
  });
});

describe("the roles of manifests/destination", () => {
  it("grant what svc-ferry needs with that configuration, and nothing else", () => {
    // undefined: the link is made from the source's identity, which manifests cannot know.
    const needed = destinationRights(question, "destination", undefined);

    const allowed = granted(installedObjects("manifests/destination"));

    expect(allowed.map(spelled).toSorted()).toEqual(needed.map(asGranted).map(spelled).toSorted());
  });
});
