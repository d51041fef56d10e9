/** What each command of the command line does in earnest. */
import { CertsCommands } from "./certs-commands.js";
import type { Program } from "./cli/program.js";
import type { Run } from "./cli/run.js";
import type { Terminal } from "./cli/terminal.js";
import type { Config } from "./config/config.js";
import { DoctorCommand } from "./doctor-command.js";
import { ExplainCommand } from "./explain-command.js";
import { KubeconfigCommand } from "./kubeconfig-command.js";
import type { OpenCluster } from "./kube/open-cluster.js";
import { LeaveCommand } from "./leave-command.js";
import { openFor } from "./open-for.js";
import { sha256 } from "./runtime/sha256.js";
import { SystemClock } from "./runtime/system-clock.js";
import { SystemRandom } from "./runtime/system-random.js";
import { tcpConnect } from "./runtime/tcp-connect.js";

export function commandsOf(
  { readFile, stderr }: Terminal,
  run: Run,
  mirror: Program["commands"]["mirror"],
): Program["commands"] {
  const open =
    (command: string) =>
    (cluster: Config["source"]): Promise<OpenCluster> =>
      openFor({ command, stderr }, cluster);
  const around = { clock: new SystemClock(), random: new SystemRandom(), digest: sha256 };
  const certs = new CertsCommands({ ...around, open: open("certs"), readFile });
  const explain = new ExplainCommand({
    ...around,
    open: open("explain"),
    connect: tcpConnect(around.clock),
  });
  const doctor = new DoctorCommand({ ...around, open: open("doctor"), certs, explain });
  const kubeconfig = new KubeconfigCommand({ ...around, open: open("kubeconfig") });
  const leave = new LeaveCommand({ ...around, open: open("leave") });
  return { run, mirror, certs, explain, doctor, kubeconfig, leave };
}
