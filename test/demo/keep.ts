import { dirname } from "node:path";
import type { FerryProcess } from "../harness/ferry-process.js";
import { screen } from "./screen.js";
import { ferryCommand, type Stage, statusUrl } from "./stage.js";

/** What to type in another terminal; below it the replicas' log goes on. */
export async function explainHowToPlay(stage: Stage): Promise<void> {
  const leader = await stage.replicas.leader();
  const there = `kubectl --context destination -n ${stage.destination.namespace}`;
  const here = `kubectl --context source -n ${stage.source.namespace}`;
  screen.heading("It goes on running until Ctrl-C. In another terminal:");
  const lines = [
    `export KUBECONFIG=${stage.kubeconfig}`,
    `export PATH=${dirname(stage.kubectlPath)}:$PATH`,
    `${there} get services,endpointslices --watch   # leave it open`,
    `${here} create service clusterip mine --tcp=80`,
    `${here} label service mine sync=true`,
    `${here} describe service mine`,
    `${there} delete service mine   # refused, or it comes back: step 5`,
    `${here} label service mine sync-`,
    `${ferryCommand()} status --all --status-url ${statusUrl(leader)}`,
    ...stage.replicas.alive.map(
      (pod) =>
        `kill ${pod.process.pid}   # ${pod.name}; curl ${new URL("/leader", statusUrl(pod)).href}`,
    ),
  ];
  for (const line of lines) screen.typed(line);
  screen.heading("What the replicas log from here on:");
  for (const { process } of stage.replicas.alive) void follow(process);
}

/** Prints each line as it comes; ends with the process. */
async function follow(process: FerryProcess): Promise<void> {
  for (let next = process.lines.length; ; next += 1) {
    try {
      screen.shown(await process.waitForLine(/^/, { from: next, timeoutMs: LONGEST_TIMER_MS }));
    } catch {
      return; // it ended, which is what a person who plays may want
    }
  }
}

/** 24 days. Source: the 32 bits of node's timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
