/** Bundles what runs: one file per entry, tree-shaken, so that a start costs no hundreds of modules. */
import { chmod } from "node:fs/promises";
import { build } from "esbuild";

const OUT = "dist/svc-ferry.js";

await build({
  entryPoints: { "svc-ferry": "src/main.ts" },
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22.19",
  minifySyntax: true,
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
