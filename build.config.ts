/** Bundles what runs: one file per entry, tree-shaken, so that a start costs no hundreds of modules. */
import { chmod } from "node:fs/promises";
import { build, type Plugin } from "esbuild";

const OUT = "dist/svc-ferry.js";

/**
 * client-node does not declare that importing its modules has no effect, so all of its generated API would be bundled and
 * run at each start for the one class that reads kubeconfigs: 2 MB of heap, 10 MB resident.
 */
const shakeClientNode: Plugin = {
  name: "shake-client-node",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /client-node|^\./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === "resolving" || !`${path} ${from.importer}`.includes("client-node")) return;
      const found = await resolve(path, { ...from, pluginData: "resolving" });
      return { ...found, sideEffects: false };
    });
  },
};

/**
 * The mirror is a file of its own, loaded by `svc-ferry mirror` alone. What both need is in both: esbuild's shared chunks run
 * before the entries' own imports, and so before reflect-metadata, which has to be first.
 */
const mirrorApart: Plugin = {
  name: "mirror-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/sidecar\/main\.js$/ }, () => ({
      path: "./mirror.js",
      external: true,
    }));
  },
};

await build({
  entryPoints: { "svc-ferry": "src/main.ts", mirror: "sidecar/main.ts" },
  outdir: "dist",
  bundle: true,
  plugins: [mirrorApart, shakeClientNode],
  platform: "node",
  format: "esm",
  target: "node22.19",
  minifySyntax: true,
  // Node keeps the text of a module in memory. Names stay, so that stack traces can be read.
  minifyWhitespace: true,
  legalComments: "linked",
  sourcemap: "linked",
  // CommonJS packages inside the bundle ask for require and __dirname.
  banner: {
    js: [
      "#!/usr/bin/env node",
      'import { createRequire as __createRequire } from "node:module";',
      'import { fileURLToPath as __fileURLToPath } from "node:url";',
      "const require = __createRequire(import.meta.url);",
      'const __dirname = __fileURLToPath(new URL(".", import.meta.url));',
    ].join("\n"),
  },
});
await chmod(OUT, 0o755);
