import "reflect-metadata";
Error.stackTraceLimit = 0;
Error.stackTraceLimit = 0;
import { historyOf, runHistory } from "/work/main/test/simulation/history.js";
const from = Number(process.argv[2] ?? 1),
  n = Number(process.argv[3] ?? 50);
const t0 = performance.now();
let bad = 0;
const shown = Number(process.argv[4] ?? 5);
for (let seed = from; seed < from + n; seed++) {
  const r = await runHistory(historyOf(seed));
  if (r.problems.length) {
    bad++;
    if (bad <= shown) console.log(`seed ${seed}\n   ` + r.problems.slice(0, 6).join("\n   "));
  }
}
console.log(`${n} histories, ${bad} bad, ${((performance.now() - t0) / n).toFixed(1)} ms each`);
