import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DoctorReport } from "../../src/ports/doctor-report.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { startFerry } from "../harness/ferry-process.js";

const execute = promisify(execFile);

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder: string;
let packed: Packed;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "svc-ferry-packed-"));
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await execute("npm", args);
  const [first] = JSON.parse(stdout) as readonly Packed[];
  if (first === undefined) throw new Error("npm packed nothing");
  packed = first;
});
afterAll(async () => rm(folder, { recursive: true }));

/** As `npm install TARBALL` leaves it, without the dependencies: what is bundled needs none. */
async function installed(): Promise<string> {
  const home = await mkdtemp(join(folder, "home-"));
  const place = join(home, "node_modules", "svc-ferry");
  await mkdir(place, { recursive: true });
  await execute("tar", [
    "-xzf",
    join(folder, packed.filename),
    "--strip-components=1",
    "-C",
    place,
  ]);
  await mkdir(join(home, "node_modules", ".bin"));
  await symlink("../svc-ferry/dist/svc-ferry.js", join(home, "node_modules", ".bin", "svc-ferry"));
  return home;
}

describe("npm pack", () => {
  it("takes what a user installs: the program, the manifests, the chart", () => {
    const paths = packed.files.map(({ path }) => path);

    for (const path of [
      "dist/svc-ferry.js",
      "manifests/source/kustomization.yaml",
      "manifests/destination/policy.yaml",
      "manifests/components/monitoring/svc-ferry.json",
      "charts/svc-ferry/Chart.yaml",
      "charts/svc-ferry/values.schema.json",
      "README.md",
      "LICENSE",
    ]) {
      expect(paths).toContain(path);
    }
  });

  it("takes no test, no source and nothing of this checkout's tools", () => {
    const places = new Set(packed.files.map(({ path }) => path.split("/")[0]));

    expect([...places].toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "charts",
      "dist",
      "docs",
      "manifests",
      "package.json",
    ]);
  });

  it("gives a command that works from an empty directory, without a dependency beside it", async () => {
    const home = await installed();
    const words = ["--no-install", "svc-ferry", "doctor", "--kubeconfig=none", "--output=json"];

    const help = await execute("npx", ["--no-install", "svc-ferry", "--help"], { cwd: home });
    const failed = (await execute("npx", words, { cwd: home }).catch(
      (error: unknown) => error,
    )) as { readonly code: number; readonly stdout: string };

    expect(help.stdout).toContain("run");
    expect(help.stdout).toContain("status");
    expect(failed.code).toBe(1);
    const { checks } = JSON.parse(failed.stdout) as DoctorReport;
    const found = checks.filter(({ result }) => result === "fail").map(({ id }) => id);
    expect(found).toEqual(["src-reach", "dst-reach"]);
  });
});

/** package.json and the files of dist in one folder, as the image has them. */
async function imageFolder(): Promise<string> {
  const app = await mkdtemp(join(folder, "app-"));
  await cp("package.json", join(app, "package.json"));
  const scripts = (await readdir("dist")).filter((name) => name.endsWith(".js"));
  for (const name of scripts) await cp(join("dist", name), join(app, name));
  return app;
}

describe("what the image holds", () => {
  it("has the page in it, and answers before any cluster does", async () => {
    const app = await imageFolder();
    const nowhere = { server: "https://127.0.0.1:1", ca: "none", token: "none" };
    const kubeconfigPath = join(app, "kubeconfig");
    writeKubeconfig(
      kubeconfigPath,
      ["local-cluster", "external-cluster"].map((context) => ({ context, controlPlane: nowhere })),
    );
    const flags = [`--kubeconfig=${kubeconfigPath}`, "--http-port=0", "--bind-address=127.0.0.1"];
    const ferry = startFerry({ script: join(app, "svc-ferry.js"), args: ["run", ...flags] });

    const origin = `http://127.0.0.1:${await ferry.adminPort()}`;
    const [page, script, style] = await Promise.all(
      ["/", "/page.js", "/page.css"].map(async (path) => (await fetch(origin + path)).text()),
    );
    await ferry.stop();

    expect(page).toContain("this replica cannot say how Services stand");
    expect(script).toContain("new EventSource");
    expect(style).toContain("prefers-color-scheme");
  });

  it("runs from that alone, without a word of complaint", async () => {
    const app = await imageFolder();

    const { stdout, stderr } = await execute(
      process.execPath,
      [join(app, "svc-ferry.js"), "--version"],
      {
        cwd: "/",
        env: { NODE_ENV: "production" },
      },
    );

    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
    expect([stdout, stderr]).toEqual([`${version}\n`, ""]);
  });
});
