/** Lint rules and the import boundaries of ARCHITECTURE.md, as one table. */
import { defineConfig, type OxlintOverride } from "oxlint";

const AREAS = [
  "domain",
  "ports",
  "queue",
  "watch",
  "leader",
  "kube",
  "intake",
  "reconcile",
  "explain",
  "doctor",
  "telemetry",
  "runtime",
  "config",
  "cli",
  "webhook",
  "certs",
  "sidecar",
];

/** Areas with a folder of their own beside src. */
const BESIDE_SRC = ["webhook", "certs", "sidecar"];

const folder = (area: string): string =>
  BESIDE_SRC.includes(area) ? `${area}/**` : `src/${area}/**`;

/** Area -> areas it may import besides itself. Everything not named here is forbidden. */
const MAY_IMPORT: Record<string, string[]> = {
  domain: [],
  ports: ["domain"],
  // The kit: no word about Services.
  queue: ["ports"],
  watch: ["ports"],
  leader: ["ports"],
  kube: ["ports"],
  intake: ["domain", "ports", "queue", "watch"],
  reconcile: ["domain", "ports", "queue"],
  // What the core would do, by the core's own parts.
  explain: ["domain", "ports", "intake", "reconcile", "watch"],
  doctor: ["domain", "ports", "leader"],
  telemetry: ["ports"],
  runtime: ["ports"],
  config: ["domain", "ports"],
  cli: ["config", "ports"],
  webhook: ["domain", "ports"],
  certs: ["domain", "ports"],
  // Of doctor only what runs checks: it knows nothing of the core either.
  sidecar: ["ports", "telemetry", "runtime", "config", "doctor"],
};

/** Package -> the one area allowed to load it at run time (types are free). */
const GATE: Record<string, string[]> = {
  "@kubernetes/client-node": ["kube"],
  undici: ["kube"],
  pino: ["telemetry"],
  "prom-client": ["telemetry"],
  fastify: ["telemetry", "webhook"],
  "node-forge": ["certs"],
  commander: ["cli"],
  yaml: ["config", "kube", "sidecar"],
  zod: ["config", "cli"],
  etcd3: ["sidecar"],
  "@grpc/grpc-js": ["sidecar"],
  "@noble/ciphers": ["sidecar"],
};

const CONTAINER = ["container", "Lifecycle", "singleton", "autoInjectable", "registry", "delay"];

/** @param depth of the files: 0 in the area's folder and below; 1 in a folder of it, from where `../` is the area itself */
const boundary = (area: string, depth: 0 | 1 = 0): OxlintOverride => ({
  files: [depth === 0 ? folder(area) : `src/${area}/*/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        paths: [
          area === "domain"
            ? { name: "tsyringe", message: "the domain is pure" }
            : {
                name: "tsyringe",
                importNames: CONTAINER,
                message: "constructor injection only; the container lives in compose.ts",
              },
          ...Object.entries(GATE)
            .filter(([, areas]) => !areas.includes(area))
            .map(([name, areas]) => ({
              name,
              allowTypeImports: true,
              message: `only ${areas.join(", ")} may load ${name}`,
            })),
        ],
        patterns: [
          {
            group: AREAS.filter(
              (other) => other !== area && !MAY_IMPORT[area]?.includes(other),
            ).map((other) => `**/${other}/**`),
            message: `${area} may import ${[...(MAY_IMPORT[area] ?? []), "itself"].join(", ")} only`,
          },
          {
            group: depth === 0 ? ["../*.js", "../src/*.js"] : ["../../*.js"],
            message: "what lies in src/ itself is wiring: nobody imports it",
          },
        ],
      },
    ],
  },
});

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "oxc", "node", "promise"],
  options: { typeAware: true, reportUnusedDisableDirectives: "error" },
  categories: { correctness: "error" },
  ignorePatterns: ["dist/**"],
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/only-throw-error": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/prefer-readonly": "error",
    "typescript/await-thenable": "error",
    "typescript/unbound-method": "off",
    // Texts are sorted by code unit, which is what sort() does.
    "typescript/require-array-sort-compare": "off",
    "unicorn/no-useless-spread": "off",
    // A transaction of etcd has a branch of that name (`Txn` in sidecar/etcd/etcd.ts): a list, which no await calls.
    "unicorn/no-thenable": "off",
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "import/no-unassigned-import": "off",
    "oxc/no-barrel-file": "error",
    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    "unicorn/prefer-node-protocol": "error",
    "preserve-caught-error": "error",
    "no-console": "error",
    "node/no-process-env": "error",
    "no-restricted-globals": ["error", "Date", "setTimeout", "setInterval", "setImmediate"],
    "max-depth": ["warn", 3],
    "max-params": ["error", 5],
    "max-lines-per-function": ["warn", { max: 60, skipBlankLines: true, skipComments: true }],
    complexity: ["warn", 12],
  },
  overrides: [
    ...AREAS.map((area) => boundary(area)),
    boundary("kube", 1),
    { files: ["src/domain/**"], rules: { "import/no-nodejs-modules": "error" } },
    { files: ["sidecar/compose.ts"], rules: { "no-restricted-imports": "off" } },
    { files: ["src/runtime/system-clock.ts"], rules: { "no-restricted-globals": "off" } },
    // Runs in a browser, where nobody brings a clock.
    { files: ["src/telemetry/page/browser.js"], rules: { "no-restricted-globals": "off" } },
    { files: ["src/config/load.ts"], rules: { "node/no-process-env": "off" } },
    {
      files: ["test/**", "*.config.ts"],
      rules: {
        "no-restricted-globals": "off",
        "no-restricted-imports": "off",
        "max-lines-per-function": "off",
        "import/no-default-export": "off",
        "node/no-process-env": "off",
        complexity: "off",
      },
    },
  ],
});
