import { describe, expect, it } from "vitest";
import { MIRROR_SETTINGS, mirrorSettingList } from "../../../../src/config/mirror-settings.js";
import { settingKey } from "../../../../src/config/setting.js";

describe("the mirror's settings", () => {
  it("keep etcd-carry's flags and defaults to the letter, older names included", () => {
    const known = new Map(
      mirrorSettingList().flatMap(({ name, olderName, fallbackText }) => [
        [name, fallbackText],
        ...(olderName === undefined ? [] : [[olderName, fallbackText] as const]),
      ]),
    );
    const side = (name: string, folder: string) => [
      [`${name}-endpoints`, undefined],
      [`${name}-cacert`, `/etc/kubernetes/${folder}/etcd/ca.crt`],
      [`${name}-cert`, `/etc/kubernetes/${folder}/etcd/server.crt`],
      [`${name}-key`, `/etc/kubernetes/${folder}/etcd/server.key`],
      [`${name}-insecure-skip-tls-verify`, "off"],
      [`${name}-insecure-transport`, "off"],
    ];
    const ancestors = [
      ["debug", "off"],
      ["mirror-rule", "/etc/mirror/rules.yaml"],
      ["mode", "standalone"],
      ["encryption-provider-config", "/etc/mirror/secrets-encryption.yaml"],
      ["kube-prefix", "/registry"],
      ["max-txn-ops", "128"],
      ["rev", "0"],
      ["dial-timeout", "2s"],
      ["keepalive-time", "2s"],
      ["keepalive-timeout", "6s"],
      ...side("source", "source"),
      ...side("master", "source"),
      ...side("dest", "dest"),
      ...side("slave", "dest"),
      ["db-path", "/var/lib/mirror/db"],
      ["bind-address", "0.0.0.0"],
      ["bind-port", "10520"],
    ] as const;

    expect(ancestors.map(([name = ""]) => [name, known.get(name)])).toEqual(ancestors);
  });

  it("have for each key the flag's name in camel case, and no name twice", () => {
    const derived = Object.values(MIRROR_SETTINGS).map(({ name }) => settingKey(name));
    const names = mirrorSettingList().flatMap(({ name, olderName }) => [
      name,
      ...(olderName === undefined ? [] : [olderName]),
    ]);

    expect(derived).toEqual(Object.keys(MIRROR_SETTINGS));
    expect(new Set(names).size).toBe(names.length);
  });
});
