/** Bundles what runs: one file per entry, tree-shaken, so that a start costs no hundreds of modules. */
import { chmod, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";

const OUT = "dist/svc-ferry.js";
/** The same program by the name that kubectl looks for; it tells itself apart by how it was called. */
const PLUGIN = "dist/kubectl-ferry.js";

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

/**
 * undici's entry loads all that it has: fetch, WebSocket, mocks, caches, proxies. What is used are its two clients, and Node would
 * keep text and heap of the rest. A module with names of its own: an import that is not among them does not build.
 */
const USED_OF_UNDICI = `
  import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
  import api from "undici/lib/api/index.js";
  Object.assign(Dispatcher.prototype, api);
  export { default as Client } from "undici/lib/dispatcher/client.js";
  export { default as Pool } from "undici/lib/dispatcher/pool.js";`;

/** client-node asks for these where it sends requests itself, which it never does here: it reads kubeconfigs and logs in. */
const ASKED_BY_CLIENT_NODE = `
  function absent() {
    throw new Error("requests of client-node are not in this bundle");
  }
  export { absent as fetch, absent as Agent, absent as ProxyAgent };`;

const usedOfUndici: Plugin = {
  name: "used-of-undici",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ importer }) => ({
      path: importer.includes("client-node") ? "asked by client-node" : "used",
      namespace: "undici",
    }));
    onLoad({ filter: /.*/, namespace: "undici" }, ({ path }) => ({
      contents: path === "used" ? USED_OF_UNDICI : ASKED_BY_CLIENT_NODE,
      resolveDir: import.meta.dirname,
    }));
  },
};

/** fastify brings two compilers for JSON schemas, which none of our routes has: a tenth of all text. */
const fastifyWithoutSchemas: Plugin = {
  name: "fastify-without-schemas",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@fastify\/(?:ajv|fast-json-stringify)-compiler$/ }, ({ path }) => ({
      path,
      namespace: "schemas",
    }));
    onLoad({ filter: /.*/, namespace: "schemas" }, ({ path }) => ({
      contents: `
        module.exports = () => () => {
          throw new Error("${path} is not in this bundle");
        };`,
    }));
  },
};

/** zod speaks fifty languages, and its messages are English here. */
const zodInEnglish: Plugin = {
  name: "zod-in-english",
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/** The page's files go into the bundle as texts: what runs is one file. */
const inlinePage: Plugin = {
  name: "inline-page",
  setup({ onLoad }) {
    onLoad({ filter: /page[\\/]assets\.ts$/ }, async ({ path }) => {
      const text = async (name: string): Promise<string> =>
        JSON.stringify(await readFile(join(dirname(path), name), "utf8"));
      return {
        contents: [
          `export const browserModule = () => ${await text("browser.js")};`,
          `export const styleSheet = () => ${await text("page.css")};`,
          `export const icon = () => ${await text("icon.svg")};`,
        ].join("\n"),
      };
    });
  },
};

await build({
  entryPoints: { "svc-ferry": "src/main.ts", mirror: "sidecar/main.ts" },
  outdir: "dist",
  bundle: true,
  plugins: [
    mirrorApart,
    usedOfUndici,
    shakeClientNode,
    fastifyWithoutSchemas,
    zodInEnglish,
    inlinePage,
  ],
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
await writeFile(PLUGIN, '#!/usr/bin/env node\nimport "./svc-ferry.js";\n');
for (const file of [OUT, PLUGIN]) await chmod(file, 0o755);
