/** What slices say of the pods behind a Service, and whether these answer. */
import { SERVICE_NAME_LABEL } from "./domain/labels.js";
import { splitKey, type ServiceKey } from "./domain/service-key.js";
import type { Connect, TcpAddress } from "./ports/connect.js";
import type { ProbeFinding } from "./ports/explain-report.js";
import type { KubeApi, KubeObject } from "./ports/kube-api.js";
import { ENDPOINT_SLICES } from "./ports/kube-resources.js";

/** Pods that are named when nobody answers. */
const MAX_NAMED_PODS = 5;
/** Connections that one Service is worth: enough to tell one dead pod from a network that leads nowhere. */
const MAX_PROBED = 20;

/** Of a raw slice, whose copies in the caches know no pods. */
interface RawSlice extends KubeObject {
  readonly endpoints?:
    | readonly {
        readonly addresses?: readonly string[];
        readonly conditions?: { readonly ready?: boolean | null };
        readonly targetRef?: { readonly name?: string };
      }[]
    | null;
  readonly ports?:
    readonly { readonly port?: number | null; readonly protocol?: string | null }[] | null;
}

/** Names of pods that are not ready, some of them. */
export async function podsNotReady(
  api: KubeApi,
  service: ServiceKey,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const slices = await slicesOf(api, service, signal);
  const names = slices.flatMap(({ endpoints }) =>
    (endpoints ?? []).flatMap(({ conditions, targetRef }) =>
      conditions?.ready === false && targetRef?.name !== undefined ? [targetRef.name] : [],
    ),
  );
  return names.slice(0, MAX_NAMED_PODS);
}

/** Ready addresses of a Service, each with what came of a connection to it; empty: it has no TCP port. */
export async function probed(
  { api, connect }: { readonly api: KubeApi; readonly connect: Connect },
  service: ServiceKey,
  signal: AbortSignal,
): Promise<readonly ProbeFinding[]> {
  const slices = await slicesOf(api, service, signal);
  const found = new Map(slices.flatMap(addressesOf).map((one) => [spelled(one), one]));
  return Promise.all(
    [...found].slice(0, MAX_PROBED).map(async ([address, to]) => {
      return { address, answer: await connect(to, signal) };
    }),
  );
}

async function slicesOf(
  api: KubeApi,
  service: ServiceKey,
  signal: AbortSignal,
): Promise<readonly RawSlice[]> {
  const { namespace, name } = splitKey(service);
  const labelSelector = `${SERVICE_NAME_LABEL}=${name}`;
  const { items } = await api.list(ENDPOINT_SLICES, { namespace, labelSelector }, signal);
  return items;
}

/** `ready` unset means ready, no protocol means TCP. */
function addressesOf({ endpoints, ports }: RawSlice): readonly TcpAddress[] {
  const tcp = (ports ?? []).flatMap(({ port, protocol }) =>
    (protocol ?? "TCP") === "TCP" && typeof port === "number" ? [port] : [],
  );
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses = [] }) =>
      addresses.flatMap((host) => tcp.map((port) => ({ host, port }))),
    );
}

function spelled({ host, port }: TcpAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
