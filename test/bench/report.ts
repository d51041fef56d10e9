import { cpus, totalmem } from "node:os";
import { format } from "prettier";
import type { Row } from "./row.js";

const GIB = 1024 ** 3;

/** On what was measured, and when; nothing that would tell one machine from another of its kind. */
export function machine(versions: string): string {
  const memory = `${Math.round(totalmem() / GIB)} GiB`;
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${cpus().length} cores, ${memory}, Node ${process.version}, ${versions}`;
}

/** For a terminal and for a page alike. */
export function table(rows: readonly Row[]): string {
  const head = ["what", "bare minimum", "svc-ferry", "goal", "reached"];
  const body = rows.map((row) => [row.what, row.bare, row.ferry, row.goal, reached(row)]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((cells) => (cells[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...body.map(line)].join("\n");
}

/** docs/benchmarks.md: a table for each day and machine. */
export async function page(
  parts: readonly { readonly where: string; readonly rows: readonly Row[] }[],
): Promise<string> {
  const places = [...new Set(parts.map(({ where }) => where))];
  const tables = places.map((place) => {
    const rows = parts.filter(({ where }) => where === place).flatMap((part) => part.rows);
    return `${place}.\n\n${table(rows)}\n`;
  });
  return format([INTRODUCTION, ...tables, NOTES].join("\n"), { parser: "markdown" });
}

function reached({ reached: is }: Row): string {
  if (is === undefined) return "";
  return is ? "yes" : "**no**";
}

const INTRODUCTION = `# Benchmarks

Written by \`npm run bench\`: two real control planes, svc-ferry, the bare minimum and the benchmark itself share the machine. What
stands in one row was measured in one run. So absolute times say little about yours; ratios, counts and memory do.
`;

const NOTES = `
## What is compared with what

The bare minimum is a process of its own (\`test/bench/raw-writer.ts\`), bundled as svc-ferry is: one raw watch, one raw POST
for each Service that appears in it, over the same number of keep-alive connections with the same HTTP library. It compares
nothing, remembers nothing, logs nothing, retries nothing and has no endpoints, Events, leader or audit.

- **label → stored**: one Service at a time, from the send of the PATCH that labels it to the mirror's appearance in a watch of
  the destination. Both run all the time, on namespaces of their own, and take turns.
- **created at once**: from the first POST's send to the last mirror's appearance, medians of alternating rounds. These Services
  have no endpoints, so both make one write for each; svc-ferry also writes an Event for each into the source. With
  endpoints svc-ferry makes three: Service, EndpointSlice, Endpoints.
- **endpoint changes**: slices are patched; stored is a change when both the mirror's slice and its Endpoints show it. Writes are
  counted in the destination's audit log, so needless or failed ones would count too.
- **latency added**: 200 and 50 patches a second over 200 paused Services, in turns where nobody is asked, where two webhooks of
  fastify that only allow are asked, where the mutating one of two such writes four annotations of the size of a stamp, where it also
  signs what the object says and follows by a watch what is stored, and where svc-ferry is asked, which leads and follows all of it
  meanwhile. What is told is the difference to the first, between the medians of all turns' percentiles. The second baseline is what
  the API server needs for any stamp, and the one that the goal is about; the third is the least of what nobody can do without who
  tells who changed a Service: see decision 0017. At 200 a second two cores are full before anybody is asked, so that what is told
  is the length of a queue, other in each turn; 50 leave room. CPU time is that of the one process, in its own turns.
- **reviews per second and core**: asked directly over TLS, each review about another change and with all fields that an API server
  sends, divided by the processor time of the process.
- **RSS**: of the process, from \`/proc\`, median of samples over ten seconds after everything is in order. Each Service has a
  slice with ten endpoints; "unlabelled" ones have that too.
- **leader killed**: SIGKILL, no release of the Lease. The goal is the lease plus one second.
- **first copy of the mirror**: two bare etcd servers. The loops beside it are \`test/bench/mirror/bare-loop.ts\`: pages of 1,000 keys
  in, and out either transactions of 128 puts one after the other (cold), or one put a transaction, 64 in flight (live), with the
  same client library and no rules, no ledger, no parsing. All are measured from the first key seen in the destination to the last.
- **tail of the mirror**: from a change's appearance in a watch of the source to its appearance in a watch of the destination, both
  watches of one process. That process, which also makes the changes, and two etcds share the machine with what is measured; the bare
  tail (\`test/bench/mirror/bare-tail.ts\`: one watch, one put for each event, the same client library) tells what is possible there.
- **slow destination**: a proxy holds each byte for 320 ms in both directions.

\`npm run bench -- --only latency,burst\` runs parts (mirror-copy, mirror-tail, mirror-slow, start, latency, burst, endpoints,
connections, admission, large) and replaces their rows here, \`--quick\` a small form that proves little but that it works, and does
not change this page.
`;
