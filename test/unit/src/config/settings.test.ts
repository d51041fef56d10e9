import { describe, expect, it } from "vitest";
import { settingKey, variableName } from "../../../../src/config/setting.js";
import { SETTINGS } from "../../../../src/config/settings.js";

describe("the settings table", () => {
  it("keeps k8s-svc-sync's flags and defaults to the letter", () => {
    const ancestors = Object.values(SETTINGS)
      .slice(0, 9)
      .map(({ name, fallbackText, ...rest }) => [
        name,
        "fallbackVariable" in rest ? `$${rest.fallbackVariable}` : fallbackText,
      ]);

    expect(ancestors).toEqual([
      ["kubeconfig", "$KUBECONFIG"],
      ["src-context", "local-cluster"],
      ["dst-context", "external-cluster"],
      ["src-ns", "default"],
      ["dst-ns", "prod-test"],
      ["sync-label", "sync=true"],
      ["leader-election-namespace", "k8s-sync"],
      ["leader-election-name", "k8s-svc-sync-leader"],
      ["pod-name", "$HOSTNAME"],
    ]);
  });

  it("has for each key the flag's name in camel case", () => {
    const derived = Object.values(SETTINGS).map(({ name }) => settingKey(name));

    expect(derived).toEqual(Object.keys(SETTINGS));
  });

  it("derives the variable from the flag", () => {
    expect(variableName("leader-election-name")).toBe("SVC_FERRY_LEADER_ELECTION_NAME");
  });
});
