import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { locateBinaries } from "../../../controlplane/binaries.js";
import {
  cacheFolder,
  goModule,
  PROGRAMS,
  RELEASE_VARIABLE,
  releases,
} from "../../../controlplane/build.js";

const REQUIRED = ["kube-apiserver", "etcd", "kubectl", "kube-controller-manager"];

let root = "";
let said: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "svc-ferry-binaries-"));
  said = [];
});
afterEach(() => rmSync(root, { recursive: true }));

describe("locateBinaries", () => {
  it("prefers KUBEBUILDER_ASSETS to PATH and the cache", async () => {
    const assets = folder("assets", REQUIRED);
    folder("path", REQUIRED);
    fillCache();

    const found = await locate({ KUBEBUILDER_ASSETS: assets });

    expect(found).toMatchObject({
      origin: "KUBEBUILDER_ASSETS",
      apiServer: join(assets, "kube-apiserver"),
      etcdctl: undefined,
    });
  });

  it("passes over KUBEBUILDER_ASSETS without kube-controller-manager and says so", async () => {
    const assets = folder("assets", ["kube-apiserver", "etcd", "kubectl"]);
    const path = folder("path", [...REQUIRED, "etcdctl"]);

    const found = await locate({ KUBEBUILDER_ASSETS: assets });

    expect(found).toMatchObject({ origin: "PATH", etcdctl: join(path, "etcdctl") });
    expect(said).toEqual([
      `KUBEBUILDER_ASSETS=${assets} lacks kube-controller-manager: looking elsewhere`,
    ]);
  });

  it("takes the cache when PATH lacks a program", async () => {
    folder("path", ["kube-apiserver", "etcd", "kubectl"]);
    const cache = fillCache();

    const found = await locate();

    expect(found).toMatchObject({ origin: "cache", kubectl: join(cache, "kubectl") });
  });

  it("does not take a file that cannot be executed for a program", async () => {
    chmodSync(join(folder("path", REQUIRED), "etcd"), 0o644);
    fillCache();

    const found = await locate();

    expect(found.origin).toBe("cache");
  });

  it("builds with Go when there is nothing else, and finds the result in the cache next time", async () => {
    fakeGo('touch "$6"; chmod +x "$6"');

    const first = await locate();
    const second = await locate();

    expect([first.origin, second.origin]).toEqual(["built with Go", "cache"]);
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toMatch(
      /^build -trimpath -ldflags -s -w -X \S+gitVersion=v1\.\S+ -X \S+gitMajor=1 -X \S+gitMinor=\d+ -o \S+\/controlplane \.$/,
    );
    expect(said[0]).toMatch(/building it with Go; the first time this takes about 5 minutes/);
  });

  it("takes no other place than the cache and a build for a release that is asked for", async () => {
    const assets = folder("assets", REQUIRED);
    fakeGo('touch "$6"; chmod +x "$6"');
    fillCache();
    folder("path", REQUIRED);

    const [older] = releases().slice(1);
    const found = await locate({ KUBEBUILDER_ASSETS: assets, [RELEASE_VARIABLE]: older ?? "" });

    expect(found.origin).toBe("built with Go");
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toContain(`gitVersion=v${older}.`);
    expect(calls()[0]).toMatch(new RegExp(` -modfile=go-${older}.mod \\.$`));
  });

  it("names the releases that there are when another one is asked for", async () => {
    await expect(locate({ [RELEASE_VARIABLE]: "1.12" })).rejects.toThrow(
      /no control plane of Kubernetes 1\.12 .* only of 1\.\d+, 1\.\d+, 1\.\d+$/,
    );
  });

  it("builds once when several ask at the same time", async () => {
    fakeGo('sleep 0.2; touch "$6"; chmod +x "$6"');

    const found = await Promise.all([locate(), locate(), locate()]);

    expect(new Set(found.map(({ etcd }) => etcd)).size).toBe(1);
    expect(calls()).toHaveLength(1);
  });

  it("leaves nothing behind when the build fails, and builds again next time", async () => {
    fakeGo('touch "$6"; echo "no space left" >&2; exit 1');
    await expect(locate()).rejects.toThrow(/no space left/);
    expect(readdirSync(join(root, "cache/svc-ferry"))).toEqual([]);
    fakeGo('touch "$6"; chmod +x "$6"');

    const found = await locate();

    expect(found.origin).toBe("built with Go");
  });

  it("clears what a killed builder left", async () => {
    const abandoned = `${cacheFolder(goModule(), env())}.building-1`;
    mkdirSync(abandoned, { recursive: true });
    fakeGo('touch "$6"; chmod +x "$6"');

    await locate();

    expect(readdirSync(join(abandoned, ".."))).toEqual([`controlplane-${goModule().key}`]);
  });
});

function env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: join(root, "path"), XDG_CACHE_HOME: join(root, "cache"), ...more };
}

async function locate(more: Readonly<Record<string, string>> = {}) {
  return locateBinaries({ env: env(more), say: (line) => said.push(line) });
}

function folder(name: string, programs: readonly string[]): string {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  for (const program of programs) writeFileSync(join(path, program), "", { mode: 0o755 });
  return path;
}

function fillCache(): string {
  const path = cacheFolder(goModule(), env());
  mkdirSync(path, { recursive: true });
  for (const program of PROGRAMS) writeFileSync(join(path, program), "", { mode: 0o755 });
  return path;
}

/** A `go` that records its arguments, then runs the given shell text ($6 is the output file). */
function fakeGo(text: string): void {
  folder("path", []);
  const script = `#!/bin/sh\necho "$@" >> ${join(root, "calls")}\n${text}\n`;
  writeFileSync(join(root, "path/go"), script, { mode: 0o755 });
}

function calls(): readonly string[] {
  return readFileSync(join(root, "calls"), "utf8").trimEnd().split("\n");
}
