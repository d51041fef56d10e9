import { RetryableError, type ErrorCode } from "../../../../src/ports/errors.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import type { Log } from "../../../../src/ports/log.js";
import type { Change } from "../../../../src/watch/change.js";
import { Reflector } from "../../../../src/watch/reflector.js";
import { settle } from "../../../fakes/settle.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { ScriptedApi, type Thing } from "./scripted-api.js";

/** A reflector of things before a scripted server, with everything that it says. */
export function reflectorBed(
  keep: (thing: Thing) => string | undefined = (thing) => thing.text,
  namespace?: string,
) {
  const clock = new VirtualClock();
  const api = new ScriptedApi();
  const changes: Change<string>[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  const reflector = new Reflector<string>({
    api,
    resource: { group: "", version: "v1", plural: "things", kind: "Thing", namespaced: true },
    namespace,
    labelSelector: "sync=true",
    keep: (object: KubeObject) => keep(object as Thing),
    onChange: (change) => changes.push(change),
    onRelisted: (relists) => told.push(`relist ${relists}`),
    clock,
    random: { next: () => 0.5, id: () => "" },
    log: recordingLog(told),
    observer: {
      relisted: (reason) => told.push(`listed: ${reason}`),
      failed: (code) => told.push(`failed: ${code}`),
      skipped: () => told.push("skipped"),
    },
  });
  // One turn later, so that the test can script the first answer.
  const run = settle().then(() => reflector.start(stop.signal));
  /** What it has said since the last call. */
  const news = () => changes.splice(0).map(({ kind, key }) => `${kind} ${key}`);
  const requests = () => api.requests.splice(0);
  const end = async () => {
    stop.abort();
    await run;
  };
  return { clock, api, reflector, news, requests, told, end, settle };
}

export function failure(code: ErrorCode, retryAfterMs?: number): RetryableError {
  return new RetryableError(code, "scripted", retryAfterMs === undefined ? {} : { retryAfterMs });
}

function recordingLog(told: string[]): Log {
  const tell = (_fields: unknown, message: string): void => void told.push(`log: ${message}`);
  const log: Log = { debug: tell, info: tell, warn: tell, error: tell, child: () => log };
  return log;
}
